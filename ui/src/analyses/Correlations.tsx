import { Grid, Section } from "@/parts/Layout";
import { number } from "@/format";
import type { Patterns } from "@/queries";

const CELL = 22;
const SIDE = 128;
const STRONGEST = 12;

/** The pairs that go together most, strongest first. */
export function strongest(names: string[], values: (number | null)[][]): { pair: [string, string]; r: number }[] {
  const found: { pair: [string, string]; r: number }[] = [];
  for (let i = 0; i < names.length; i += 1)
    for (let j = 0; j < i; j += 1) {
      const r = values[i]?.[j];
      if (r != null) found.push({ pair: [names[j]!, names[i]!], r });
    }
  return found.sort((a, b) => Math.abs(b.r) - Math.abs(a.r)).slice(0, STRONGEST);
}

/** How measurements of subjects go together, as a map and as a list. */
export function Correlations({ found }: { found: Patterns["correlations"] }) {
  if (!found)
    return <p className="text-muted">There are too few subjects or measurements to say what goes together.</p>;
  const { names, values } = found;
  const size = SIDE + names.length * CELL + 8;
  return (
    <Section title="What goes together">
      <p className="mb-3 max-w-prose text-muted">
        Rank correlations between subjects: of their numbers, and of their means of tests. New subjects keep them.
      </p>
      <div className="grid items-start gap-5 xl:grid-cols-[auto_minmax(18rem,1fr)] [&>*]:min-w-0">
        <div className="panel overflow-auto p-3" role="region" aria-label="Map of correlations" tabIndex={0}>
          <svg
            viewBox={`0 0 ${size} ${size}`}
            width={size}
            height={size}
            role="img"
            aria-label={`Correlations of ${names.length} measurements; the list beside names the strongest`}
          >
            {names.map((name, i) => (
              <g key={name} fontSize={11} fill="var(--ink)">
                <text x={SIDE - 6} y={SIDE + i * CELL + 15} textAnchor="end">
                  {name.length > 18 ? `${name.slice(0, 17)}…` : name}
                </text>
                <text transform={`translate(${SIDE + i * CELL + 15},${SIDE - 6}) rotate(-90)`}>
                  {name.length > 18 ? `${name.slice(0, 17)}…` : name}
                </text>
              </g>
            ))}
            {names.map((row, i) =>
              names.map((column, j) => {
                const r = values[i]?.[j] ?? null;
                return (
                  <rect
                    key={`${row} ${column}`}
                    x={SIDE + j * CELL}
                    y={SIDE + i * CELL}
                    width={CELL - 1}
                    height={CELL - 1}
                    fill={r === null ? "var(--sunken)" : r < 0 ? "var(--series-2)" : "var(--series-1)"}
                    fillOpacity={r === null ? 1 : Math.max(0.04, Math.abs(r))}
                  >
                    <title>{`${row} and ${column}: ${r === null ? "unknown" : number(r, 2)}`}</title>
                  </rect>
                );
              }),
            )}
          </svg>
          <p className="mt-1 flex flex-wrap gap-x-5 text-sm">
            <span className="flex items-center gap-2">
              <span aria-hidden className="size-3 rounded-sm" style={{ background: "var(--series-1)" }} /> rise together
            </span>
            <span className="flex items-center gap-2">
              <span aria-hidden className="size-3 rounded-sm" style={{ background: "var(--series-2)" }} /> one rises,
              the other falls
            </span>
            <span className="text-muted">the fuller the colour, the stronger</span>
          </p>
        </div>
        <Grid label="Strongest correlations" head={["Strongest", "Correlation"]}>
          {strongest(names, values).map(({ pair, r }) => (
            <tr key={pair.join(" ")}>
              <th scope="row">{pair.join(" and ")}</th>
              <td className="numbers">{number(r, 2)}</td>
            </tr>
          ))}
        </Grid>
      </div>
    </Section>
  );
}
