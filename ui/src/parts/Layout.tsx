import type { ReactNode } from "react";
import { useEffect } from "react";

/** A page's head: its title is the window's as well. */
export function PageHead({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · DataReplicator`;
  }, [title]);
  return (
    <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-2xl break-words">{title}</h1>
        {children && <div className="mt-1 max-w-prose text-muted">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}

export function Section({
  title,
  children,
  actions,
  id,
}: {
  title: string;
  children: ReactNode;
  actions?: ReactNode;
  id?: string;
}) {
  return (
    <section className="mb-8" id={id}>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-lg">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

export function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="panel px-4 py-3">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="numbers mt-0.5 text-xl font-semibold break-words">{value}</dd>
      {note && <dd className="text-sm text-muted">{note}</dd>}
    </div>
  );
}

export function Stats({ children }: { children: ReactNode }) {
  return (
    <dl className="mb-6 grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-[repeat(auto-fit,minmax(9rem,1fr))]">
      {children}
    </dl>
  );
}

/** A list of records as a table that scrolls by itself on narrow screens. */
export function Grid({ label, head, children }: { label: string; head: ReactNode[]; children: ReactNode }) {
  return (
    <div className="panel relative overflow-x-auto" role="region" aria-label={label} tabIndex={0}>
      <table className="w-full border-collapse text-left text-[0.95rem]">
        <thead>
          <tr className="border-b border-line text-sm text-muted">
            {head.map((cell, at) => (
              <th key={at} scope="col" className="px-3.5 py-2 font-medium whitespace-nowrap">
                {cell === "" ? <span className="sr-only">Actions</span> : cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="[&_td]:px-3.5 [&_td]:py-2 [&_th]:px-3.5 [&_th]:py-2 [&_th]:font-medium [&_tr+tr]:border-t [&_tr]:border-line">
          {children}
        </tbody>
      </table>
    </div>
  );
}
