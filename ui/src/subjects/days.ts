import type { Roles } from "@/queries";

/** Something that happened to a subject: from a day to a day, which is the same for what has one day only. */
export interface Bar {
  from: number;
  to: number;
  /** Whether the end is not known. */
  open: boolean;
  text: string;
}

export interface Lane {
  table: string;
  label: string;
  name: string;
  bars: Bar[];
}

const DAY = 86_400_000;

/** Days since 1970 of an ISO date, whatever its precision; null where there is none. */
export function dayOf(value: unknown): number | null {
  if (typeof value !== "string" || !/^\d{4}/.test(value)) return null;
  const time = Date.parse(value.slice(0, 10));
  return Number.isNaN(time) ? null : Math.floor(time / DAY);
}

export const LONG = ["events", "intervals", "sets", "children", "comment"];
const MOST_LANES = 14;

/** The days of the rows of one table, a lane for each of its terms where things last, one lane for all its results. */
export function lanesOf(roles: Roles, columns: string[], rows: unknown[][]): Lane[] {
  const at = (name: string | null) => (name === null ? -1 : columns.indexOf(name));
  const [start, end, what, value] = [at(roles.start ?? roles.date), at(roles.end), at(roles.what), at(roles.value)];
  if (start < 0) return [];
  const lasting = LONG.includes(roles.layout);
  const lanes = new Map<string, Bar[]>();
  for (const row of rows) {
    const from = dayOf(row[start]);
    if (from === null) continue;
    const to = end >= 0 ? dayOf(row[end]) : from;
    const term = what >= 0 ? String(row[what] ?? "") : "";
    const name = lasting ? term || roles.table : "";
    const said = [term, value >= 0 && row[value] != null ? String(row[value]) : ""].filter(Boolean).join(" ");
    const bars = lanes.get(name) ?? [];
    bars.push({ from, to: to ?? from, open: end >= 0 && to === null && lasting, text: said });
    lanes.set(name, bars);
  }
  return [...lanes]
    .map(([name, bars]) => ({ table: roles.table, label: roles.label, name, bars }))
    .sort((a, b) => Math.min(...a.bars.map((one) => one.from)) - Math.min(...b.bars.map((one) => one.from)))
    .slice(0, MOST_LANES);
}

/** Bars of the same day of one lane as one, with what they say together. */
export function merged(bars: Bar[]): Bar[] {
  const found = new Map<string, Bar & { count: number }>();
  for (const bar of bars) {
    const key = `${bar.from} ${bar.to} ${bar.open}`;
    const known = found.get(key);
    if (known) {
      known.count += 1;
      if (known.count <= 6) known.text += `, ${bar.text}`;
    } else found.set(key, { ...bar, count: 1 });
  }
  return [...found.values()].map(({ count, ...bar }) => ({
    ...bar,
    text: count > 6 ? `${bar.text} and ${count - 6} more` : bar.text,
  }));
}
