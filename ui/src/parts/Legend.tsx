/** Colours of up to four series, and the names that go with them. */
export const SERIES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)"];
export const seriesColor = (at: number) => SERIES[at % SERIES.length]!;

export function Legend({ names, notes }: { names: string[]; notes?: string[] }) {
  return (
    <ul aria-label="Colours" className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
      {names.map((name, at) => (
        <li key={name} className="flex items-center gap-2">
          <span aria-hidden className="size-3 rounded-sm" style={{ background: seriesColor(at) }} />
          {name}
          {notes?.[at] && <span className="text-muted">{notes[at]}</span>}
        </li>
      ))}
    </ul>
  );
}
