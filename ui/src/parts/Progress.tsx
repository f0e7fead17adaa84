import { ProgressBar as AriaBar } from "react-aria-components";

/** A bar with words. `value` from 0 to 1; undefined: nobody knows how long it takes. */
export function Progress({ label, value, note }: { label: string; value: number | undefined; note?: string }) {
  return (
    <AriaBar
      aria-label={label}
      value={(value ?? 0) * 100}
      isIndeterminate={value === undefined}
      valueLabel={note ?? ""}
    >
      <div className="flex flex-wrap justify-between gap-x-4 text-sm">
        <span>{label}</span>
        {note && <span className="numbers text-muted">{note}</span>}
      </div>
      <div className="mt-1.5 h-2 overflow-hidden rounded-full bg-sunken ring-1 ring-line">
        <div
          className={`h-full rounded-full bg-accent transition-[width] duration-300 ${value === undefined ? "w-1/4 animate-pulse" : ""}`}
          style={value === undefined ? undefined : { width: `${value > 0 ? Math.max(value, 0.01) * 100 : 0}%` }}
        />
      </div>
    </AriaBar>
  );
}
