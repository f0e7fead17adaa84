import type { ReactNode } from "react";
import { useEffect } from "react";

import { Brand, ThemeMenu } from "@/shell/Shell";

/** The frame of the pages that need no login. */
export function Card({ title, children, lead }: { title: string; children: ReactNode; lead?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · DataReplicator`;
  }, [title]);
  return (
    <div className="mx-auto flex min-h-dvh max-w-md flex-col px-4 py-5">
      <header className="flex items-center justify-between">
        <Brand />
        <ThemeMenu />
      </header>
      <main className="my-auto py-8">
        <h1 className="text-2xl">{title}</h1>
        {lead && <div className="mt-1 text-muted">{lead}</div>}
        <div className="panel mt-5 p-5">{children}</div>
      </main>
      <footer className="text-center text-sm text-muted">
        Learns a clinical study from its files and makes any number of new subjects.
      </footer>
    </div>
  );
}
