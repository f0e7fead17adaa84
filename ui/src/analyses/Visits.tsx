import type { Profile } from "@/queries";
import { number } from "@/format";

/** When visits are: the middle and the range of their days since the reference start, on one scale. */
export function Visits({ visits, subjects }: { visits: Profile["visits"]; subjects: number }) {
  const days = visits.flatMap((visit) => visit.days ?? []);
  const low = Math.min(0, ...days);
  const high = Math.max(1, ...days);
  const at = (day: number) => `${(100 * (day - low)) / (high - low)}%`;
  return (
    <ul aria-label="Visits" className="panel grid gap-0.5 p-4">
      {visits.map((visit) => (
        <li
          key={visit.visit}
          className="grid grid-cols-[minmax(6rem,12rem)_1fr] items-center gap-3 text-sm sm:grid-cols-[12rem_1fr_15rem]"
        >
          <span className="truncate" title={visit.label}>
            {visit.label || visit.visit}
          </span>
          <span aria-hidden className="relative h-5">
            <span className="absolute inset-y-0 w-px bg-line" style={{ left: at(0) }} />
            {visit.days && (
              <>
                <span
                  className="absolute top-2 h-1 rounded-full bg-bar"
                  style={{
                    left: at(visit.days[0]),
                    width: `max(3px, ${(100 * (visit.days[2] - visit.days[0])) / (high - low)}%)`,
                  }}
                />
                <span
                  className="absolute top-1 size-3 -translate-x-1/2 rounded-full bg-accent"
                  style={{ left: at(visit.days[1]) }}
                />
              </>
            )}
          </span>
          <span className="numbers col-span-2 text-muted sm:col-span-1 sm:text-right">
            {visit.days
              ? `day ${number(visit.days[1])} (${number(visit.days[0])} to ${number(visit.days[2])})`
              : "no day"}{" "}
            · {number(visit.subjects)} of {number(subjects)}
          </span>
        </li>
      ))}
    </ul>
  );
}
