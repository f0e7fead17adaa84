import { Section } from "@/parts/Layout";
import type { Schemas } from "@/api/client";
import { number } from "@/format";

type Day = Schemas["Day"];

const DAY = 86_400_000;
const MEASURES: [keyof Omit<Day, "day">, string, number][] = [
  ["requests", "Requests", 0],
  ["work", "Jobs", 0],
  ["rows", "Rows", 0],
  ["cpu_seconds", "Seconds of processor", 1],
  ["cache_hits", "Answered from the cache", 0],
  ["errors", "Errors", 0],
];

/** Every day of the span, those without anything too. */
export function everyDay(days: Day[], span: number, today: number = Date.now()): Day[] {
  const known = new Map(days.map((each) => [each.day, each]));
  return Array.from({ length: span }, (_, at) => {
    const day = new Date(today - (span - 1 - at) * DAY).toISOString().slice(0, 10);
    return (
      known.get(day) ?? {
        day,
        requests: 0,
        errors: 0,
        work: 0,
        cache_hits: 0,
        rate_limit_hits: 0,
        cpu_seconds: 0,
        rows: 0,
        cost: 0,
      }
    );
  });
}

/** The use of the service by day, a small chart for each measure. */
export function UsageCharts({ days, span }: { days: Day[]; span: number }) {
  const all = everyDay(days, span);
  return (
    <Section title="Use by day">
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {MEASURES.map(([name, text, digits]) => {
          const values = all.map((each) => each[name]);
          const most = Math.max(...values, 0);
          const sum = values.reduce((total, each) => total + each, 0);
          return (
            <li key={name} className="panel p-4">
              <h3 className="flex justify-between gap-3 text-sm font-medium">
                {text}
                <span className="numbers text-muted">{number(sum, digits)}</span>
              </h3>
              <div
                role="img"
                aria-label={`${text} by day: ${number(sum, digits)} in ${span} days, ${number(most, digits)} at most on one`}
                className="mt-2 flex h-16 items-end gap-px"
              >
                {all.map((each, at) => (
                  <span
                    key={each.day}
                    title={`${new Date(each.day).toLocaleDateString(undefined, { timeZone: "UTC" })}: ${number(values[at]!, digits)}`}
                    className={`flex-1 rounded-t-sm ${values[at] ? "bg-bar" : "bg-sunken"}`}
                    style={{ height: `${most ? Math.max(3, (100 * values[at]!) / most) : 3}%` }}
                  />
                ))}
              </div>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
