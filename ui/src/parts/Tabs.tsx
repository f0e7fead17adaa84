import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";

/** A row of links that leads through the parts of something; the present one is marked. Scrolls on narrow screens. */
export function TabBar({ label, children }: { label: string; children: ReactNode }) {
  const bar = useRef<HTMLElement>(null);
  const here = useLocation({ select: (location) => location.href });
  useEffect(() => {
    const seen = new ResizeObserver(() => {
      const current = bar.current?.querySelector<HTMLElement>("[aria-current=page]");
      if (current && bar.current) bar.current.scrollLeft = current.offsetLeft - bar.current.clientWidth / 3;
    });
    if (bar.current) seen.observe(bar.current); // which tells of the first size as well
    return () => seen.disconnect();
  }, [here]);
  return (
    <nav ref={bar} aria-label={label} className="relative mb-5 overflow-x-auto border-b border-line">
      <ul className="flex min-w-max gap-1">{children}</ul>
    </nav>
  );
}

export const tabClass =
  "inline-block border-b-2 border-transparent px-3 py-2 text-muted no-underline hover:text-ink -outline-offset-2 " +
  "aria-[current=page]:border-accent aria-[current=page]:text-ink aria-[current=page]:font-medium";
