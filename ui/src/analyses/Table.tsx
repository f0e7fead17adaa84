import { Pencil } from "lucide-react";

import { Select, TextField } from "@/parts/Fields";
import { Bars, Box } from "@/parts/Bars";
import { Menu, MenuItem } from "@/parts/Menu";
import { Badge } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { count, number, percent } from "@/format";
import type { ColumnProfile, Explanation, Profile } from "@/queries";

import { correctionsOf, useCorrections } from "@/generate/corrections";
import { useProject } from "@/projects/Project";

import { KeyButton } from "./KeyButton";
import { layoutWords } from "./layouts";

interface Props {
  profile: Profile;
  explanation: Explanation;
  table: string | undefined;
  find: string;
  onShow: (change: { table?: string; find?: string }) => void;
}

/** The variables of one table: kind, distribution, missing values, and what they are computed from. */
export function Table({ profile, explanation, table: name, find, onShow }: Props) {
  const table = profile.tables.find((each) => each.name === name) ?? profile.tables[0];
  if (!table) return <p className="text-muted">There is no table.</p>;
  const wanted = find.toLowerCase();
  const columns = table.columns.filter((column) => `${column.name} ${column.label}`.toLowerCase().includes(wanted));
  return (
    <>
      <div className="mb-4 flex flex-wrap items-end gap-3">
        <Select
          label="Table"
          className="w-full sm:w-80"
          options={profile.tables.map((each) => ({
            value: each.name,
            text: each.label ? `${each.name} · ${each.label}` : each.name,
            help: count(each.rows, "row"),
          }))}
          value={table.name}
          onChange={(chosen) => onShow({ table: chosen })}
        />
        <TextField
          search
          label="Find a variable"
          className="w-full sm:w-64"
          value={find}
          onChange={(text) => onShow({ find: text || undefined })}
        />
      </div>
      <h2 className="text-lg">{table.label || table.name}</h2>
      <p className="mb-4 text-muted">
        {layoutWords(table.layout)}: {count(table.rows, "row")} of {count(table.subjects, "subject")}
        {table.tests !== null && `, ${count(table.tests, "test")}`}.{" "}
        {table.key.length > 0 && `A row is told apart by ${table.key.join(", ")}.`} <KeyButton table={table} />
      </p>
      <ul className="grid gap-3 md:grid-cols-2 2xl:grid-cols-3">
        {columns.map((column) => (
          <Variable
            key={column.name}
            column={column}
            rows={table.rows}
            table={table.name}
            computed={
              is(explanation.derivations, table.name, column.name)
                ? "derivation"
                : is(explanation.dependencies, table.name, column.name)
                  ? "dependency"
                  : null
            }
            exceptions={
              [...explanation.derivations, ...explanation.dependencies].find(
                (each) => each.table === table.name && each.variable === column.name,
              )?.exceptions ?? 0
            }
          />
        ))}
      </ul>
      {columns.length === 0 && <p className="text-muted">No variable of that name.</p>}
    </>
  );
}

const is = (list: Explanation["derivations"], table: string, variable: string) =>
  list.some((each) => each.table === table && each.variable === variable);

/** The corrections of one variable: the next run learns the study with them. */
function Correct({
  table,
  column,
  computed,
}: {
  table: string;
  column: ColumnProfile;
  computed: "derivation" | "dependency" | null;
}) {
  const { projectId, may } = useProject();
  const { add } = useCorrections(projectId);
  const { tell } = useToasts();
  if (!may("runs.write")) return null;
  const variable = `${table}.${column.name}`;
  return (
    <Menu label={`Correct ${column.name}`} trigger={<Pencil aria-hidden className="size-4 text-muted" />}>
      {correctionsOf(variable, { kind: column.kind, computed, pii: column.pii }).map(({ text, correction }) => (
        <MenuItem
          key={text}
          onAction={() => {
            add(correction);
            tell(`${variable}: noted.`);
          }}
        >
          {text}
        </MenuItem>
      ))}
    </Menu>
  );
}

const KINDS: Record<string, string> = {
  identifier: "identifier",
  category: "category",
  flag: "flag",
  integer: "whole number",
  decimal: "number",
  text: "free text",
  date: "date",
  time: "time",
  duration: "duration",
  pii: "personal data",
};

function Variable({
  table,
  column,
  computed,
  rows,
  exceptions,
}: {
  table: string;
  column: ColumnProfile;
  computed: "derivation" | "dependency" | null;
  rows: number;
  exceptions: number;
}) {
  const numeric = column.quantiles?.every((value) => typeof value === "number");
  const [low, , middle, , high] = column.quantiles ?? [];
  const said = column.computed?.replace(`${column.name}: `, "");
  return (
    <li className="panel flex flex-col gap-2 p-4">
      <div className="flex items-start justify-between gap-3">
        <h3 className="min-w-0 break-words">
          <span className="font-mono text-[0.95rem]">{column.name}</span>
          {column.label && <span className="block text-sm font-normal text-muted">{column.label}</span>}
        </h3>
        <span className="flex flex-wrap items-center justify-end gap-1.5">
          {column.computed && <Badge tone="accent">computed</Badge>}
          <Badge tone={column.pii ? "warning" : "neutral"}>
            {column.pii ? `personal: ${column.pii}` : (KINDS[column.kind] ?? column.kind)}
          </Badge>
          <Correct table={table} column={column} computed={computed} />
        </span>
      </div>
      {said && (
        <p className="text-sm break-words">
          {said}
          {exceptions > 0 && <span className="text-warning"> ({count(exceptions, "row")} differ)</span>}
        </p>
      )}
      {column.categories && column.categories.length > 0 && (
        <Bars
          label={`Values of ${column.name}`}
          items={column.categories.slice(0, 6).map((each) => ({ name: each.value, value: each.rows }))}
          of={rows}
          unit=""
        />
      )}
      {numeric && column.quantiles && (
        <div>
          <Box values={column.quantiles as number[]} label={`Quantiles of ${column.name}`} />
          <p className="numbers text-sm text-muted">
            5 %: {number(low as number, 2)} · half: {number(middle as number, 2)} · 95 %: {number(high as number, 2)}
          </p>
        </div>
      )}
      {column.quantiles && !numeric && (
        <p className="numbers text-sm text-muted">
          {String(low)} to {String(high)}, half before {String(middle)}
        </p>
      )}
      {column.lengths && (
        <p className="numbers text-sm text-muted">
          {number(column.lengths[0])} to {number(column.lengths[2])} characters, {number(column.lengths[1])} on average
        </p>
      )}
      <p className="numbers mt-auto text-sm text-muted">
        {count(column.distinct, "value")}
        {" · "}
        {column.missing > 0 ? `${percent(column.missing)} missing` : "none missing"}
      </p>
    </li>
  );
}
