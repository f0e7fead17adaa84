import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";

import { raw, type Schemas } from "@/api/client";
import { Button } from "@/parts/Button";
import { SearchSelect } from "@/parts/SearchSelect";
import { seriesColor } from "@/parts/Legend";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { number } from "@/format";
import type { Known, Profile, Roles } from "@/queries";

import { dayOf, type Lane, lanesOf, LONG, merged } from "./days";

type Rows = Schemas["Rows"];
type Query = Partial<Schemas["TableQuery"]>;

const MOST_FOUND = 50;

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
  profile: Pick<Known, "arm"> & Pick<Profile, "reference_start">;
  subject: string | undefined;
  onSubject: (subject: string) => void;
}) {
  const shown = new Map(tables.filter((each) => each.preview).map((each) => [each.table, each]));
  const own = roles.find((each) => each.layout === "subject" && shown.has(each.table));
  const has = (table: string, column: string | null): column is string =>
    column !== null && (shown.get(table)?.columns.some((each) => each.name === column) ?? false);
  const root = own?.table ?? "";
  const extra = [profile.reference_start, profile.arm].filter((each) => has(root, each)) as string[];
  const [sought, setSought] = useState("");
  const columns = own ? [...new Set([own.subject, ...extra])] : [];
  // The row of the subject says where it stands among all, and so who comes before and after.
  const here = useQuery({
    ...query(base, root, {
      columns,
      where: subject === undefined ? [] : [{ column: own?.subject ?? "", operator: "eq", value: subject }],
      limit: 1,
      offset: 0,
    }),
    enabled: Boolean(own),
    placeholderData: keepPreviousData,
  });
  const at = (here.data?.numbers[0] ?? 1) - 1;
  const around = useQuery({
    ...query(base, root, { columns: columns.slice(0, 1), limit: 3, offset: Math.max(0, at - 1) }),
    enabled: Boolean(here.data),
    placeholderData: keepPreviousData,
  });
  const neighbour = (step: -1 | 1) => {
    const place = around.data?.numbers.indexOf(at + 1 + step) ?? -1;
    return place < 0 ? undefined : String(around.data!.rows[place]![0]);
  };
  const found = useQuery({
    ...query(base, root, {
      columns: columns.slice(0, 1),
      where: sought === "" ? [] : [{ column: own?.subject ?? "", operator: "contains", value: sought }],
      limit: MOST_FOUND,
      offset: sought === "" ? Math.max(0, at - 10) : 0,
    }),
    enabled: Boolean(here.data),
    placeholderData: keepPreviousData,
  });
  const row = here.data?.rows[0];
  const name = subject ?? (row && String(row[0]));
  const dated = roles.filter(
    (each) =>
      shown.has(each.table) && each.layout !== "subject" && (has(each.table, each.start) || has(each.table, each.date)),
  );
  const parts = useQueries({
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
  if (here.isError) return <ProblemBox error={here.error} />;
  if (!here.data) return <Waiting for="Loading the subjects" />;
  const search = (
    <SearchSelect
      label="Subject"
      value={name ?? ""}
      options={(found.data?.rows ?? []).map((each) => String(each[0]))}
      note={foundText(found.data)}
      onSearch={setSought}
      onChange={onSubject}
    />
  );
  if (here.data.total === 0) return <p className="text-muted">There is no subject.</p>;
  if (!row)
    return (
      <>
        {search}
        <p className="mt-3 text-muted">There is no subject {subject} here.</p>
      </>
    );
  const names = here.data.columns.map((each) => each.name);
  const startOf = (column: string | null) => (column === null ? null : dayOf(row[names.indexOf(column)]));
  const lanes = dated.flatMap((each, place) => {
    const rows = parts[place]?.data;
    return rows
      ? lanesOf(
          each,
          rows.columns.map((column) => column.name),
          rows.rows,
        )
      : [];
  });
  const pending = parts.some((each) => each.isPending);
  const arm = profile.arm && has(root, profile.arm) ? row[names.indexOf(profile.arm)] : null;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-end gap-2">
        {search}
        <Step label="The subject before" to={neighbour(-1)} onSubject={onSubject}>
          <ChevronLeft aria-hidden className="size-4" />
        </Step>
        <Step label="The next subject" to={neighbour(1)} onSubject={onSubject}>
          <ChevronRight aria-hidden className="size-4" />
        </Step>
        <span className="numbers pb-2 text-muted">
          {number(at + 1)} of {number(here.data.total)}
        </span>
        {arm != null && <span className="pb-2 text-muted">{String(arm)}</span>}
      </div>
      {parts.some((each) => each.isError) && <ProblemBox error={parts.find((each) => each.isError)?.error} />}
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

/** What is to be said of a list of subjects that were found. */
function foundText(found: Rows | undefined): string | undefined {
  if (!found) return undefined;
  if (found.matching === 0) return "No subject is called so.";
  if (found.matching > found.rows.length)
    return `${number(found.rows.length)} of ${number(found.matching)}: write a part of the name to find others.`;
  return undefined;
}

function Step({
  label,
  to,
  onSubject,
  children,
}: {
  label: string;
  to: string | undefined;
  onSubject: (subject: string) => void;
  children: ReactNode;
}) {
  return (
    <Button aria-label={label} isDisabled={to === undefined} onPress={() => onSubject(to!)}>
      {children}
    </Button>
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
  const layoutOf = (table: string) => roles.find((each) => each.table === table)?.layout ?? "";
  const days = lanes.flatMap((lane) => lane.bars.flatMap((bar) => [bar.from, bar.to])).sort((a, b) => a - b);
  const seen = lanes.filter((lane) => !LONG.includes(layoutOf(lane.table))).flatMap((lane) => lane.bars);
  // Histories begin decades before, so that the first visit or result is the beginning where no day is given as such.
  const origin = zero ?? seen.reduce((first, bar) => Math.min(first, bar.from), seen[0]?.from ?? days[0]!);
  // The time around the study is shown, what was before stands at the edge.
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
    const lasting = LONG.includes(layoutOf(table));
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
              {number(day)}
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
        Days since {zero === null ? "the first visit or result of the subject" : "the reference start of the subject"}.
        Paler bars have no known end; what began long before stands at the left edge.
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
