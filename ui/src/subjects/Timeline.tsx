import { useQueries, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";

import { raw, type Schemas } from "@/api/client";
import { Button } from "@/parts/Button";
import { Select } from "@/parts/Fields";
import { seriesColor } from "@/parts/Legend";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { number } from "@/format";
import type { Profile, Roles } from "@/queries";

import { dayOf, type Lane, lanesOf, LONG, merged } from "./days";

type Rows = Schemas["Rows"];
type Query = Partial<Schemas["TableQuery"]>;

const MOST_SUBJECTS = 500;

const query = (base: string, table: string, body: Query) => ({
  queryKey: ["rows of subject", base, table, body],
  staleTime: Infinity,
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await (
      await raw(`${base}/tables/${encodeURIComponent(table)}/query`, {
        method: "POST",
        signal,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      })
    ).json()) as Rows,
});

/** One subject's time in the study: what lasted as bars, visits and results as marks, by day since its reference start. */
export function Timeline({
  base,
  tables,
  roles,
  profile,
  subject,
  onSubject,
}: {
  /** Address of the run, or of the dataset's version. */
  base: string;
  tables: Schemas["TableOut"][];
  roles: Roles[];
  profile: Pick<Profile, "root" | "subject_key" | "reference_start" | "arm">;
  subject: string | undefined;
  onSubject: (subject: string) => void;
}) {
  const shown = new Map(tables.filter((each) => each.preview).map((each) => [each.table, each]));
  const own = roles.find((each) => each.layout === "subject" && shown.has(each.table));
  const has = (table: string, column: string | null): column is string =>
    column !== null && (shown.get(table)?.columns.some((each) => each.name === column) ?? false);
  const root = own?.table ?? "";
  const extra = [profile.reference_start, profile.arm].filter((each) => has(root, each)) as string[];
  const list = useQuery({
    ...query(base, root, {
      columns: own ? [...new Set([own.subject, ...extra])] : [],
      limit: MOST_SUBJECTS,
      offset: 0,
    }),
    enabled: Boolean(own),
  });
  const names = list.data?.rows.map((row) => String(row[0])) ?? [];
  const at = Math.max(0, names.indexOf(subject ?? ""));
  const name = subject ?? names[0];
  const dated = roles.filter(
    (each) =>
      shown.has(each.table) && each.layout !== "subject" && (has(each.table, each.start) || has(each.table, each.date)),
  );
  const found = useQueries({
    queries: dated.map((each) => ({
      ...query(base, each.table, {
        where: [{ column: each.subject, operator: "eq", value: name ?? "" }],
        columns: [...new Set([each.start, each.date, each.end, each.what, each.value])].filter((column) =>
          has(each.table, column),
        ) as string[],
        limit: 1000,
        offset: 0,
      }),
      enabled: name !== undefined,
    })),
  });
  if (!own)
    return <p className="text-muted">There is no table with one row a subject, so no single subject can be shown.</p>;
  if (list.isError) return <ProblemBox error={list.error} />;
  if (!list.data) return <Waiting for="Loading the subjects" />;
  if (name === undefined) return <p className="text-muted">There is no subject.</p>;
  const row = list.data.rows[at];
  const columns = list.data.columns.map((each) => each.name);
  const startOf = (column: string | null) => (column === null ? null : dayOf(row?.[columns.indexOf(column)]));
  const lanes = dated.flatMap((each, place) => {
    const rows = found[place]?.data;
    return rows
      ? lanesOf(
          each,
          rows.columns.map((column) => column.name),
          rows.rows,
        )
      : [];
  });
  const pending = found.some((each) => each.isPending);
  const arm = profile.arm && has(root, profile.arm) ? row?.[columns.indexOf(profile.arm)] : null;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-end gap-2">
        <Select
          label="Subject"
          className="w-64"
          options={names.map((value) => ({ value, text: value }))}
          value={name}
          onChange={onSubject}
        />
        <Button aria-label="The subject before" isDisabled={at === 0} onPress={() => onSubject(names[at - 1]!)}>
          <ChevronLeft aria-hidden className="size-4" />
        </Button>
        <Button
          aria-label="The next subject"
          isDisabled={at >= names.length - 1}
          onPress={() => onSubject(names[at + 1]!)}
        >
          <ChevronRight aria-hidden className="size-4" />
        </Button>
        {arm != null && <span className="pb-2 text-muted">{String(arm)}</span>}
        {list.data.total > names.length && (
          <span className="pb-2 text-sm text-muted">
            the first {number(names.length)} of {number(list.data.total)} subjects
          </span>
        )}
      </div>
      {found.some((each) => each.isError) && <ProblemBox error={found.find((each) => each.isError)?.error} />}
      {lanes.length === 0 ? (
        pending ? (
          <Waiting for="Loading the subject's rows" />
        ) : (
          <p className="text-muted">The subject has no row with a date.</p>
        )
      ) : (
        <Drawing
          lanes={lanes}
          zero={startOf(profile.reference_start)}
          tables={dated.map((each) => each.table)}
          roles={roles}
        />
      )}
    </>
  );
}

const LABEL = 210;
const HEIGHT = 22;
const WIDE = 900;

function Drawing({
  lanes,
  zero,
  tables,
  roles,
}: {
  lanes: Lane[];
  zero: number | null;
  tables: string[];
  roles: Roles[];
}) {
  const days = lanes.flatMap((lane) => lane.bars.flatMap((bar) => [bar.from, bar.to])).sort((a, b) => a - b);
  const origin = zero ?? days[0]!;
  // Histories begin decades before: the time around the study is shown, what was before stands at the edge.
  const low = Math.max(days[0]!, origin - 60);
  const high = Math.max(days.at(-1)!, low + 1);
  const x = (day: number) => LABEL + ((Math.min(high, Math.max(low, day)) - low) / (high - low)) * (WIDE - LABEL - 12);
  const groups = tables.filter((table) => lanes.some((lane) => lane.table === table));
  let line = 0;
  const step = Math.max(1, Math.round((high - low) / 7 / 7) * 7 || 1);
  const marks: number[] = [];
  for (let day = Math.ceil((low - origin) / step) * step; origin + day <= high; day += step) marks.push(day);
  const drawn = groups.flatMap((table, place) => {
    const own = lanes.filter((lane) => lane.table === table);
    const lasting = LONG.includes(roles.find((each) => each.table === table)?.layout ?? "");
    return own.map((lane, nth) => {
      const y = 26 + line * HEIGHT;
      line += 1;
      return { lane, y, color: seriesColor(place), first: nth === 0, lasting };
    });
  });
  const height = 34 + line * HEIGHT;
  const dayText = (day: number) =>
    zero === null ? number(day - origin) : `day ${number(day - origin + (day >= origin ? 1 : 0))}`;
  return (
    <div className="panel overflow-x-auto p-3" role="region" aria-label="Timeline of the subject" tabIndex={0}>
      <svg
        viewBox={`0 0 ${WIDE} ${height}`}
        className="h-auto w-full min-w-[46rem]"
        role="img"
        aria-label={`${drawn.length} lines of ${groups.length} tables over ${high - low} days; the list below says the same in words`}
      >
        {marks.map((day) => (
          <g key={day}>
            <line x1={x(origin + day)} x2={x(origin + day)} y1={18} y2={height - 4} stroke="var(--line)" />
            <text x={x(origin + day)} y={12} textAnchor="middle" fontSize={11} fill="var(--muted)">
              {day}
            </text>
          </g>
        ))}
        {zero !== null && (
          <line x1={x(origin)} x2={x(origin)} y1={16} y2={height - 4} stroke="var(--edge)" strokeDasharray="3 3" />
        )}
        {drawn.map(({ lane, y, color, first, lasting }) => (
          <g key={`${lane.table} ${lane.name}`}>
            <text x={0} y={y + 12} fontSize={11.5} fill="var(--ink)">
              {first && <tspan fontWeight={600}>{lane.table} </tspan>}
              {!first && <tspan fillOpacity={0}>{lane.table} </tspan>}
              <tspan fill="var(--muted)">{cut(lane.name || lane.label, 24)}</tspan>
            </text>
            {merged(lane.bars).map((bar, at) => {
              const says = `${lane.table} ${bar.text || lane.name}: ${dayText(bar.from)}${bar.open ? ", no end known" : bar.to !== bar.from ? ` to ${dayText(bar.to)}` : ""}`;
              return lasting ? (
                <rect
                  key={at}
                  x={x(bar.from)}
                  y={y + 2}
                  width={Math.max(5, (bar.open ? x(high) : x(bar.to)) - x(bar.from))}
                  height={HEIGHT - 9}
                  rx={3}
                  fill={color}
                  fillOpacity={bar.open ? 0.45 : 0.9}
                >
                  <title>{says}</title>
                </rect>
              ) : (
                <circle key={at} cx={x(bar.from)} cy={y + 8} r={4.5} fill={color}>
                  <title>{says}</title>
                </circle>
              );
            })}
          </g>
        ))}
      </svg>
      <p className="mt-1 text-sm text-muted">
        Days since {zero === null ? "the first date of the subject" : "the reference start of the subject"}. Paler bars
        have no known end; what began long before stands at the left edge.
      </p>
      <details className="mt-2">
        <summary className="cursor-pointer text-accent">In words</summary>
        <ul className="mt-2 grid max-h-72 gap-1 overflow-y-auto text-sm" aria-label="What happened when" tabIndex={0}>
          {drawn
            .flatMap(({ lane }) => merged(lane.bars).map((bar) => ({ lane, bar })))
            .sort((a, b) => a.bar.from - b.bar.from)
            .map(({ lane, bar }, at) => (
              <li key={at}>
                <span className="numbers">{dayText(bar.from)}</span>
                {bar.to !== bar.from && <span className="numbers"> to {dayText(bar.to)}</span>}
                {bar.open && ", no end known"}: <span className="font-mono">{lane.table}</span> {bar.text || lane.name}
              </li>
            ))}
        </ul>
      </details>
    </div>
  );
}

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
