import { number, percent } from "@/format";

/** Shares as bars: the text says all, the bar helps the eye. */
export function Bars({
  label,
  items,
  of,
  unit,
}: {
  label: string;
  items: { name: string; value: number }[];
  of: number;
  unit: string;
}) {
  const most = Math.max(1, ...items.map((item) => item.value));
  return (
    <ul aria-label={label} className="grid gap-1">
      {items.map((item) => (
        <li
          key={item.name}
          className="grid grid-cols-[minmax(3rem,5.5rem)_1fr_auto] sm:grid-cols-[minmax(5rem,11rem)_1fr_auto] items-center gap-2.5 text-sm"
        >
          <span className="truncate" title={item.name}>
            {item.name}
          </span>
          <span
            aria-hidden
            className="h-3 rounded-sm bg-bar"
            style={{ width: `${(100 * item.value) / most}%`, minWidth: 2 }}
          />
          <span className="numbers text-muted">
            {number(item.value)} {unit}
            {of > 0 && ` · ${percent(item.value / of)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Quantiles at 5, 25, 50, 75 and 95 % as a box with whiskers. */
export function Box({ values, label }: { values: number[]; label: string }) {
  const [low = 0, left = 0, middle = 0, right = 0, high = 0] = values;
  const width = high - low || 1;
  const at = (value: number) => 4 + ((value - low) / width) * 192;
  return (
    <svg viewBox="0 0 200 20" role="img" aria-label={label} className="h-5 w-full max-w-56">
      <line x1={4} x2={196} y1={10} y2={10} stroke="var(--edge)" />
      <line x1={4} x2={4} y1={5} y2={15} stroke="var(--edge)" />
      <line x1={196} x2={196} y1={5} y2={15} stroke="var(--edge)" />
      <rect x={at(left)} width={Math.max(1, at(right) - at(left))} y={3} height={14} rx={2} fill="var(--bar)" />
      <line x1={at(middle)} x2={at(middle)} y1={2} y2={18} stroke="var(--ink)" strokeWidth={2} />
    </svg>
  );
}
