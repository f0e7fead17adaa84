export interface Reference {
  from: string;
  to: string;
  by: string;
}

/** "ae (USUBJID) -> dm (USUBJID)" as data; null where the words are others. */
export function parseReference(said: string): Reference | null {
  const parts = /^(\S+) \(([^)]*)\) -> (\S+) \(/.exec(said);
  return parts ? { from: parts[1]!, by: parts[2]!, to: parts[3]! } : null;
}

/** Columns of tables: those that refer to nothing first, each other one behind all that it refers to. */
export function columnsOf(references: Reference[]): string[][] {
  const tables = [...new Set(references.flatMap((each) => [each.to, each.from]))];
  const depth = new Map(tables.map((name) => [name, 0]));
  // A circle of references would never settle: as many rounds as there are tables are enough for all others.
  for (let round = 0; round < tables.length; round += 1)
    for (const { from, to } of references)
      if (from !== to) depth.set(from, Math.min(tables.length, Math.max(depth.get(from)!, depth.get(to)! + 1)));
  const columns: string[][] = [];
  for (const level of [...new Set(depth.values())].sort((a, b) => a - b))
    columns.push(tables.filter((name) => depth.get(name) === level).sort());
  return columns;
}

const WIDTH = 92;
const HEIGHT = 30;
const GAP = 10;
const BETWEEN = 110;

/** Which tables refer to which. The list below says the same in words. */
export function Diagram({ references }: { references: string[] }) {
  const found = references.map(parseReference).filter((each) => each !== null && each.from !== each.to) as Reference[];
  const columns = columnsOf(found);
  if (columns.length < 2) return null;
  const tallest = Math.max(...columns.map((each) => each.length));
  const height = tallest * (HEIGHT + GAP) + GAP;
  const width = columns.length * (WIDTH + BETWEEN) - BETWEEN + 2;
  const place = new Map<string, { x: number; y: number }>();
  columns.forEach((names, at) => {
    const top = (height - names.length * (HEIGHT + GAP)) / 2;
    names.forEach((name, row) =>
      place.set(name, { x: 1 + at * (WIDTH + BETWEEN), y: top + row * (HEIGHT + GAP) + GAP / 2 }),
    );
  });
  return (
    <div className="panel mb-4 overflow-x-auto p-4" role="region" aria-label="Diagram of the references" tabIndex={0}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="img"
        aria-label={`${found.length} references between ${place.size} tables; the list below names them`}
        className="mx-auto block"
      >
        {found.map(({ from, to, by }, at) => {
          const start = place.get(from)!;
          const end = place.get(to)!;
          const [x1, y1, x2, y2] = [start.x, start.y + HEIGHT / 2, end.x + WIDTH, end.y + HEIGHT / 2];
          const bend = Math.max(40, (x1 - x2) / 2);
          return (
            <path
              key={at}
              d={`M${x1},${y1} C${x1 - bend},${y1} ${x2 + bend},${y2} ${x2},${y2}`}
              fill="none"
              stroke="var(--bar)"
              strokeWidth={1.5}
              opacity={0.75}
            >
              <title>{`${from} refers to ${to} by ${by}`}</title>
            </path>
          );
        })}
        {[...place].map(([name, { x, y }]) => (
          <g key={name}>
            <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={7} fill="var(--accent-soft)" stroke="var(--accent)" />
            <text x={x + WIDTH / 2} y={y + HEIGHT / 2 + 4.5} textAnchor="middle" fontSize={13} fill="var(--ink)">
              {name.length > 12 ? `${name.slice(0, 11)}…` : name}
              <title>{name}</title>
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}
