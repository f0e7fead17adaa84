import { number } from "@/format";
import { seriesColor } from "@/parts/Legend";
import type { Course } from "@/queries";

const WIDTH = 720;
const HEIGHT = 300;
const LEFT = 56;
const BOTTOM = 64;
const TOP = 10;

/** Round steps of a scale that covers `low` to `high`. */
export function ticksOf(low: number, high: number, about = 5): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10);
  const first = Math.floor(low / step) * step;
  const found: number[] = [];
  for (let at = first; at < high + step; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

/** The middle of a test's values at each visit, with the range of the middle 80 %, by arm. */
export function CourseChart({ course, arms }: { course: Course; arms: string[] }) {
  const known = [...course.low, ...course.high, ...course.middle].flat().filter((value) => value !== null);
  if (known.length === 0) return <p className="text-muted">No visit has three subjects with a value.</p>;
  const ticks = ticksOf(Math.min(...known), Math.max(...known));
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const many = course.visits.length;
  const step = (WIDTH - LEFT - 12) / Math.max(1, many);
  const x = (visit: number, arm: number) =>
    LEFT + step * (visit + 0.5) + (arm - (arms.length - 1) / 2) * Math.min(7, step / (arms.length + 1));
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low || 1));
  const every = Math.ceil(many / 14);
  return (
    <div role="region" aria-label={`Course of ${course.label || course.test}`} tabIndex={0} className="overflow-x-auto">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${course.label || course.test} over ${many} visits by arm; the table below has the numbers`}
        className="h-auto w-full max-w-[58rem] min-w-[34rem]"
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={WIDTH - 8} y1={y(tick)} y2={y(tick)} stroke="var(--line)" />
            <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" fontSize={11} fill="var(--muted)">
              {number(tick, 3)}
            </text>
          </g>
        ))}
        {course.visits.map(
          (visit, at) =>
            at % every === 0 && (
              <text
                key={visit}
                transform={`translate(${LEFT + step * (at + 0.5)},${HEIGHT - BOTTOM + 14}) rotate(-28)`}
                textAnchor="end"
                fontSize={11}
                fill="var(--muted)"
              >
                {visit.length > 16 ? `${visit.slice(0, 15)}…` : visit}
              </text>
            ),
        )}
        {arms.map((arm, a) => {
          const points = course.visits.flatMap((_, v) => {
            const value = course.middle[a]?.[v];
            return value == null ? [] : [{ v, value }];
          });
          return (
            <g key={arm} stroke={seriesColor(a)} fill={seriesColor(a)}>
              <path
                d={points.map(({ v, value }, at) => `${at === 0 ? "M" : "L"}${x(v, a)},${y(value)}`).join("")}
                fill="none"
                strokeWidth={1.8}
              />
              {points.map(({ v, value }) => {
                const [from, to] = [course.low[a]?.[v], course.high[a]?.[v]];
                return (
                  <g key={v}>
                    {from != null && to != null && (
                      <line x1={x(v, a)} x2={x(v, a)} y1={y(from)} y2={y(to)} strokeWidth={1.4} opacity={0.55} />
                    )}
                    <circle cx={x(v, a)} cy={y(value)} r={3.2}>
                      <title>{`${arm}, ${course.visits[v]}: ${number(value, 2)} (${course.n[a]?.[v]} subjects)`}</title>
                    </circle>
                  </g>
                );
              })}
            </g>
          );
        })}
      </svg>
    </div>
  );
}
