import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, TriangleAlert, X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";

import { raw, type Schemas } from "@/api/client";
import type { TableSearch } from "@/router";
import { Button } from "@/parts/Button";
import { Checkbox, Select, TextField } from "@/parts/Fields";
import { Empty, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { count, number } from "@/format";

import { FilterButton } from "./FilterButton";
import { type Condition, conditionText, isNumeric, nextSort, readSort, readWhere, writeWhere } from "./shown";

const PAGE = 200;
const ROW = 33;
/** Browsers place nothing beyond some 33 million pixels. */
const MOST = 900_000;

type Rows = Schemas["Rows"];

interface Props {
  /** Address of the run or of the dataset's version. */
  base: string;
  tables: Schemas["TableOut"][];
  shown: TableSearch;
  onShow: (change: TableSearch) => void;
  /** Row of the file, from 1, to be brought into view and marked. */
  row?: number | undefined;
  /** Whether faults were put into some of the tables. */
  faults?: boolean;
}

/** Rows of any number: those in sight are asked for, filtered and sorted by the service. The address holds the view. */
export function TableView({ base, tables, shown, onShow, row, faults = false }: Props) {
  const table = tables.find((each) => each.table === shown.table) ?? tables[0];
  if (!table) return <Empty title="No table">There is nothing to look at here.</Empty>;
  return (
    <>
      <div className="mb-3 flex flex-wrap items-end gap-3">
        <Select
          label="Table"
          className="w-full sm:w-80"
          options={tables.map((each) => ({
            value: each.table,
            text: each.label ? `${each.table} · ${each.label}` : each.table,
            help: count(each.rows, "row"),
          }))}
          value={table.table}
          onChange={(name) => onShow({ table: name, sort: undefined, where: undefined, find: undefined })}
        />
        {faults && (
          <div className="pb-1.5">
            <Checkbox
              label="Only rows with faults"
              isSelected={shown.faulty === true}
              onChange={(on) => onShow({ faulty: on || undefined })}
            />
          </div>
        )}
        <Find key={table.table} now={shown.find ?? ""} onFind={(find) => onShow({ find: find || undefined })} />
      </div>
      {table.preview ? (
        <Body key={table.table} base={base} table={table} shown={shown} onShow={onShow} row={row} />
      ) : (
        <Notice tone="warning">
          The faults in this table put values into it that its columns cannot hold, so it cannot be shown here. Download
          it to see it.
        </Notice>
      )}
    </>
  );
}

function Find({ now, onFind }: { now: string; onFind: (text: string) => void }) {
  const [text, setText] = useState(now);
  const told = useRef(now);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      onFind(text);
    }, 350);
    return () => clearTimeout(timer);
  }, [text, onFind]);
  return (
    <TextField search label="Find in all text columns" className="w-full sm:w-64" value={text} onChange={setText} />
  );
}

function Body({ base, table, shown, onShow, row }: Omit<Props, "tables"> & { table: Schemas["TableOut"] }) {
  const where = useMemo(() => readWhere(shown.where), [shown.where]);
  const view = { where, sort: readSort(shown.sort), search: shown.find ?? "", faulty: shown.faulty === true };
  const ask = (page: number) => ({
    queryKey: ["rows", base, table.table, view, page],
    staleTime: 300_000,
    queryFn: async ({ signal }: { signal: AbortSignal }) =>
      (await (
        await raw(`${base}/tables/${encodeURIComponent(table.table)}/query`, {
          method: "POST",
          signal,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...view, offset: page * PAGE, limit: PAGE }),
        })
      ).json()) as Rows,
  });
  const first = useQuery({ ...ask(0), placeholderData: keepPreviousData });
  const total = Math.min(first.data?.matching ?? 0, MOST);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  const pages = useMemo(() => {
    const from = Math.floor((items[0]?.index ?? 0) / PAGE);
    const to = Math.floor((items.at(-1)?.index ?? 0) / PAGE);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  }, [items]);
  const loaded = useQueries({ queries: pages.map((page) => ask(page)) });
  const columns = table.columns;
  const widths = useMemo(() => columnWidths(columns, first.data?.rows ?? [], first.data?.marks), [columns, first.data]);
  const numeric = useMemo(() => columns.map((column) => isNumeric(column.type)), [columns]);
  const known = useMemo(() => new Set(columns.map((column) => column.name)), [columns]);
  const plain = where.length === 0 && !shown.sort && !shown.find && !shown.faulty;

  useEffect(() => {
    if (row && plain && total >= row) rows.scrollToIndex(row - 1, { align: "center" });
  }, [row, plain, total, rows]);

  const setCondition = (column: string, condition: Condition | null) => {
    const others = where.filter((each) => each.column !== column);
    onShow({ where: writeWhere(condition ? [...others, condition] : others) });
  };

  return (
    <>
      <div className="mb-2 flex flex-wrap items-center gap-2 text-sm">
        <p role="status" className="numbers text-muted">
          {first.data
            ? first.data.matching === first.data.total
              ? count(first.data.total, "row")
              : `${number(first.data.matching)} of ${count(first.data.total, "row")}`
            : "Loading the rows…"}
          {first.data && first.data.matching > MOST && `, the first ${number(MOST)} shown: filter to see the others`}
        </p>
        {where.map((condition) => (
          <Button
            key={condition.column}
            className="min-h-7 py-0 text-sm"
            onPress={() => setCondition(condition.column, null)}
          >
            {conditionText(condition)}
            <X aria-hidden className="size-4" />
            <span className="sr-only">, remove the filter</span>
          </Button>
        ))}
      </div>
      {first.isError && <ProblemBox error={first.error} onRetry={() => void first.refetch()} />}
      {first.isPending && <Waiting for="Loading the rows" />}
      {first.data && (
        <div
          ref={scroller}
          tabIndex={0}
          role="region"
          aria-label={`Rows of ${table.table}`}
          className="panel relative max-h-[70vh] min-h-64 overflow-auto"
        >
          <div
            role="table"
            aria-label={table.label || table.table}
            aria-rowcount={first.data.matching + 1}
            style={{ width: widths.all }}
          >
            <div role="rowgroup" className="sticky top-0 z-10">
              <div role="row" className="flex border-b border-line bg-sunken">
                <div
                  role="columnheader"
                  className="shrink-0 px-2 py-1.5 text-right text-sm text-muted"
                  style={{ width: widths.index }}
                >
                  <span className="sr-only">Row</span>#
                </div>
                {columns.map((column, at) => {
                  const direction =
                    shown.sort === column.name ? "ascending" : shown.sort === `-${column.name}` ? "descending" : "none";
                  return (
                    <div
                      key={column.name}
                      role="columnheader"
                      aria-sort={direction}
                      className="flex shrink-0 items-center gap-0.5 px-1"
                      style={{ width: widths.columns[at] }}
                    >
                      <button
                        title={column.label || column.name}
                        className="flex min-w-0 items-center gap-1 rounded px-1 py-1.5 text-sm font-semibold hover:bg-accent-soft"
                        onClick={() => onShow({ sort: nextSort(shown.sort, column.name) })}
                      >
                        <span className="truncate">{column.name}</span>
                        {direction === "ascending" && <ArrowUp aria-hidden className="size-3.5 shrink-0" />}
                        {direction === "descending" && <ArrowDown aria-hidden className="size-3.5 shrink-0" />}
                      </button>
                      <FilterButton
                        base={base}
                        table={table.table}
                        column={column}
                        now={where.find((each) => each.column === column.name)}
                        onChange={(condition) => setCondition(column.name, condition)}
                      />
                    </div>
                  );
                })}
              </div>
            </div>
            <div role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
              {items.map((item) => {
                const page = loaded[Math.floor(item.index / PAGE) - (pages[0] ?? 0)]?.data;
                const values = page?.rows[item.index % PAGE];
                const number_ = page?.numbers[item.index % PAGE];
                const marks = page?.marks?.filter((mark) => mark.row === number_) ?? [];
                const said = marks.map((mark) =>
                  mark.variable !== null && known.has(mark.variable) ? `fault in ${mark.variable}` : markText(mark),
                );
                return (
                  <div
                    key={item.index}
                    role="row"
                    aria-rowindex={item.index + 2}
                    className={`absolute flex w-full border-b border-line text-sm hover:bg-sunken ${row !== undefined && row === number_ ? "bg-accent-soft" : ""}`}
                    style={{ height: ROW, top: item.start }}
                  >
                    <div
                      role="cell"
                      className="numbers shrink-0 px-2 py-1.5 text-right text-muted"
                      style={{ width: widths.index }}
                    >
                      {number_ === undefined ? "…" : number(number_)}
                      {marks.length > 0 && (
                        <span className="ml-1 text-warning" title={marks.map(markText).join("\n")}>
                          <TriangleAlert aria-hidden className="inline size-4" />
                          <span className="sr-only">{said.join(", ")}</span>
                        </span>
                      )}
                    </div>
                    {columns.map((column, at) => (
                      <Cell
                        key={column.name}
                        value={values ? cell(values[at]) : "…"}
                        numeric={numeric[at]!}
                        width={widths.columns[at]!}
                        marks={marks.filter((mark) => mark.variable === column.name)}
                      />
                    ))}
                  </div>
                );
              })}
            </div>
          </div>
        </div>
      )}
      {(first.data?.marks?.length ?? 0) > 0 && (
        <p className="mt-2 text-sm text-muted">
          <span className="bg-warning-soft px-1 text-ink">Highlighted</span>: faults that were put in; what was there
          before is struck out. The sign beside a row&apos;s number tells of its faults, wherever they are.
        </p>
      )}
      {first.data?.matching === 0 && <p className="mt-3 text-muted">No row fits. Remove a filter above.</p>}
    </>
  );
}

/** One value; where a fault changed it, with what was there before. */
function Cell({
  value,
  numeric,
  width,
  marks,
}: {
  value: string;
  numeric: boolean;
  width: number;
  marks: Schemas["Mark"][];
}) {
  const long = value.length > 24 ? value : undefined;
  return (
    <div
      role="cell"
      className={`shrink-0 truncate px-2 py-1.5 ${numeric ? "numbers text-right" : ""} ${marks.length > 0 ? "bg-warning-soft" : ""}`}
      style={{ width }}
      title={marks.length > 0 ? marks.map(markText).join("\n") : long}
    >
      {marks.length > 0 && (
        <>
          <span className="sr-only">{marks.map((mark) => mark.kind.replaceAll("-", " ")).join(", ")}, before: </span>
          <s className="text-muted">{marks[0]!.old || "empty"}</s>
          <span className="sr-only">, now: </span>{" "}
        </>
      )}
      {marks.length > 0 && value === "" ? "empty" : value}
    </div>
  );
}

/** A fault in words. */
export function markText(mark: Pick<Schemas["Mark"], "kind" | "variable" | "change" | "old" | "new">): string {
  const kind = mark.kind.replaceAll("-", " ");
  if (mark.variable === null) return `${kind} (${mark.change})`;
  return `${kind}: ${mark.variable} was ${mark.old || "empty"}, is ${mark.new || "empty"}`;
}

const cell = (value: unknown) => (value === null || value === undefined ? "" : String(value));

const LETTER = 7.6;

/** Widths that fit the names and the first rows. */
export function columnWidths(columns: Schemas["ColumnOut"][], rows: unknown[][], marks: Schemas["Mark"][] = []) {
  const sample = rows.slice(0, 60);
  const changed = new Map<string, number>();
  for (const { variable, old, new: now } of marks)
    if (variable !== null)
      changed.set(
        variable,
        Math.max(changed.get(variable) ?? 0, (old ?? "empty").length + (now ?? "empty").length + 1),
      );
  const found = columns.map((column, at) => {
    const head = column.name.length * 8.6 + 72;
    const longest = sample.reduce((most, row) => Math.max(most, cell(row[at]).length), 0);
    const both = (changed.get(column.name) ?? 0) * LETTER + 20;
    return Math.round(Math.min(320, Math.max(72, head, longest * LETTER + 20, both)));
  });
  const index = 72;
  return { index, columns: found, all: Math.max(index + found.reduce((sum, each) => sum + each, 0), 1) };
}
