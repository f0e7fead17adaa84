import { useState } from "react";

import { Button } from "@/parts/Button";
import { Checkbox, Select, TextField } from "@/parts/Fields";
import { number } from "@/format";
import type { Known } from "@/queries";

import { domainOf, type Operator, operatorsOf, ruleOf, sortOf } from "./rules";

const COPIED = new Set(["reference", "supplement", "relation"]);

/** A rule put together from what was found in the data; the text that it makes is shown and can be changed later. */
export function Builder({
  profile,
  label = "Build a rule",
  action = "Add the rule",
  onAdd,
}: {
  profile: Known;
  label?: string;
  action?: string;
  onAdd: (line: string, domain: string, rule: string) => void;
}) {
  const tables = profile.tables.filter((each) => !COPIED.has(each.layout) && each.columns.length > 0);
  const [tableName, setTableName] = useState(profile.root ?? tables[0]?.name ?? "");
  const [name, setName] = useState<string | null>(null);
  const [operator, setOperator] = useState<string | null>(null);
  const [values, setValues] = useState<string[]>([]);
  const table = tables.find((each) => each.name === tableName) ?? tables[0];
  if (!table) return null;
  const column = table.columns.find((each) => each.name === name) ?? null;
  const operators = column ? operatorsOf(sortOf(column)) : [];
  const chosen = operators.find((each) => each.value === operator) ?? null;
  const rule = column && chosen ? ruleOf(column, chosen.value, values) : null;
  const line = rule && `${domainOf(table)}: ${rule}`;
  const pick = (next: string | null) => {
    setOperator(next);
    setValues([]);
  };
  return (
    <div role="group" aria-label={label} className="grid gap-3 rounded-lg border border-line p-3">
      <div className="grid items-start gap-3 sm:grid-cols-3">
        <Select
          label="Table"
          options={tables.map((each) => ({ value: each.name, text: domainOf(each), help: each.label }))}
          value={table.name}
          onChange={(next) => {
            setTableName(next);
            setName(null);
            pick(null);
          }}
        />
        <Select
          label="Variable"
          options={table.columns
            .filter((each) => each.kind !== "empty")
            .map((each) => ({ value: each.name, text: each.name, help: each.label }))}
          value={column?.name ?? null}
          onChange={(next) => {
            setName(next);
            pick(null);
          }}
        />
        <Select
          label="What holds"
          isDisabled={!column}
          options={operators.map(({ value, text }) => ({ value, text }))}
          value={chosen?.value ?? null}
          onChange={pick}
        />
      </div>
      {column && chosen && (
        <Values
          key={`${column.name} ${chosen.value}`}
          column={column}
          operator={chosen}
          others={table.columns.filter((each) => sortOf(each) === "date" && each.name !== column.name)}
          values={values}
          onChange={setValues}
        />
      )}
      <div className="flex flex-wrap items-center gap-3">
        <output className="min-w-0 flex-1 font-mono text-sm break-words text-muted" aria-label="The rule">
          {line || "Choose a variable and what holds of it."}
        </output>
        <Button
          isDisabled={!line}
          onPress={() => {
            onAdd(line!, domainOf(table), rule!);
            pick(null);
            setName(null);
          }}
        >
          {action}
        </Button>
      </div>
    </div>
  );
}

type Column = Known["tables"][number]["columns"][number];

function Values({
  column,
  operator,
  others,
  values,
  onChange,
}: {
  column: Column;
  operator: Operator;
  others: Column[];
  values: string[];
  onChange: (values: string[]) => void;
}) {
  if (operator.takes === "none") return null;
  if (operator.value === "<= other")
    return (
      <Select
        label="Variable that does not come before"
        className="max-w-xs"
        options={others.map((each) => ({ value: each.name, text: each.name, help: each.label }))}
        value={values[0] ?? null}
        onChange={(next) => onChange([next])}
      />
    );
  if (operator.takes === "many" && column.categories?.length)
    return (
      <div
        role="group"
        aria-label={`Values of ${column.name}`}
        tabIndex={0}
        className="grid max-h-52 grid-cols-[repeat(auto-fill,minmax(11rem,1fr))] gap-x-4 overflow-y-auto rounded-lg border border-line px-3 py-1.5"
      >
        {column.categories.map((each) => (
          <Checkbox
            key={each.value}
            label={<span className="break-words">{each.value}</span>}
            isSelected={values.includes(each.value)}
            onChange={(on) => onChange(on ? [...values, each.value] : values.filter((one) => one !== each.value))}
          />
        ))}
      </div>
    );
  if (operator.takes === "many")
    return (
      <TextField
        search
        label="Values, with commas"
        value={values.join(",")}
        onChange={(text) => onChange(text.split(","))}
      />
    );
  const range = column.quantiles;
  const said = (end: number | string) => (typeof end === "number" ? number(end, 3) : end);
  const help =
    range && sortOf(column) !== "text"
      ? `In the source: ${said(range[0]!)} to ${said(range[4]!)} (5 to 95 %).`
      : column.reach && sortOf(column) !== "text"
        ? `Learned: ${said(column.reach[0])} to ${said(column.reach[1])}.`
        : operator.value === "like"
          ? "% stands for any letters, _ for one."
          : undefined;
  const field = (at: number, label: string) => (
    <TextField
      search
      label={label}
      value={values[at] ?? ""}
      onChange={(text) => onChange(at === 0 ? [text, ...values.slice(1)] : [values[0] ?? "", text])}
      help={at === 0 ? help : undefined}
    />
  );
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {operator.takes === "two" ? (
        <>
          {field(0, "From")}
          {field(1, "To")}
        </>
      ) : (
        field(0, "Value")
      )}
    </div>
  );
}
