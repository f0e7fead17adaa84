/** Constraints built from choices: what can be said of a variable, and the text that says it. */
import type { ColumnProfile } from "@/queries";

export type Sort = "number" | "text" | "category" | "date";

export interface Operator {
  value: string;
  text: string;
  /** How many values it takes. */
  takes: "none" | "one" | "two" | "many";
  of: Sort[];
}

export const OPERATORS: Operator[] = [
  { value: ">=", text: "is at least", takes: "one", of: ["number", "date"] },
  { value: "<=", text: "is at most", takes: "one", of: ["number", "date"] },
  { value: "between", text: "is between", takes: "two", of: ["number", "date"] },
  { value: "in", text: "is one of", takes: "many", of: ["category"] },
  { value: "not in", text: "is none of", takes: "many", of: ["category"] },
  { value: "=", text: "is", takes: "one", of: ["number", "text", "date"] },
  { value: "!=", text: "is not", takes: "one", of: ["number", "text", "date"] },
  { value: "like", text: "looks like", takes: "one", of: ["text", "category"] },
  { value: "is not missing", text: "is always there", takes: "none", of: ["number", "text", "category", "date"] },
  { value: "is missing", text: "is never there", takes: "none", of: ["number", "text", "category", "date"] },
  { value: "<= other", text: "is not after the variable", takes: "one", of: ["date"] },
];

/** What a variable holds, as far as rules differ by it. */
export function sortOf(column: Pick<ColumnProfile, "kind" | "type">): Sort {
  if (["integer", "decimal"].includes(column.kind)) return column.type === "text" ? "text" : "number";
  if (column.kind === "date" || column.type === "datetime") return "date";
  return column.kind === "category" || column.kind === "flag" ? "category" : "text";
}

export const operatorsOf = (sort: Sort) => OPERATORS.filter((each) => each.of.includes(sort));

/** A table as its domain is called: the parts of a name before a space or a suffix stay. */
export const domainOf = (table: { name: string }) =>
  /^[a-z]{2,8}$/.test(table.name) ? table.name.toUpperCase() : table.name;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const isNumber = (text: string) => /^-?\d+(\.\d+)?$/.test(text.trim());

/** A value as expressions write it: numbers bare, everything else in quotation marks. */
export const literal = (value: string, column: Pick<ColumnProfile, "kind" | "type">) =>
  (sortOf(column) === "number" || (sortOf(column) === "category" && column.type !== "text")) && isNumber(value)
    ? value.trim()
    : quoted(value.trim());

/** The rule that choices make; null while something is missing. */
export function ruleOf(
  column: Pick<ColumnProfile, "name" | "kind" | "type">,
  operator: string,
  values: string[],
): string | null {
  const known = OPERATORS.find((each) => each.value === operator);
  if (!known) return null;
  const given = values.filter((value) => value.trim() !== "");
  if (known.takes === "none") return `${column.name} ${operator}`;
  if (operator === "<= other") return given[0] ? `${column.name} <= ${given[0]}` : null;
  if (known.takes === "two")
    return given.length === 2
      ? `${column.name} between ${given.map((value) => literal(value, column)).join(" and ")}`
      : null;
  if (given.length === 0) return null;
  if (known.takes === "many")
    return `${column.name} ${operator} (${given.map((value) => literal(value, column)).join(", ")})`;
  return `${column.name} ${operator} ${operator === "like" ? quoted(given[0]!) : literal(given[0]!, column)}`;
}

/** Where a rule holds only for some rows: `when implies rule`. */
export const implied = (when: string | null, rule: string) => (when ? `${when} implies ${rule}` : rule);
