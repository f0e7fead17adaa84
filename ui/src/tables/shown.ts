import type { Schemas } from "@/api/client";

export type Condition = Schemas["Condition"];
export type Order = Schemas["Order"];

const OPERATORS = new Set(["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "starts", "missing", "present"]);

/** The conditions in an address; what is no condition is left out, for anybody can write an address. */
export function readWhere(text: string | undefined): Condition[] {
  if (!text) return [];
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return [];
    return found.filter(
      (one): one is Condition =>
        typeof one === "object" && one !== null && typeof one.column === "string" && OPERATORS.has(one.operator),
    );
  } catch {
    return [];
  }
}

export const writeWhere = (where: Condition[]) => (where.length ? JSON.stringify(where) : undefined);

/** "-AGE" is AGE from the highest down. */
export const readSort = (text: string | undefined): Order[] =>
  text ? [{ column: text.replace(/^-/, ""), descending: text.startsWith("-") }] : [];

/** What a press on a column's head makes of the order: up, down, as in the file. */
export function nextSort(now: string | undefined, column: string): string | undefined {
  if (now === column) return `-${column}`;
  if (now === `-${column}`) return undefined;
  return column;
}

export const OPERATOR_WORDS: Record<string, string> = {
  eq: "is",
  ne: "is not",
  lt: "below",
  le: "at most",
  gt: "above",
  ge: "at least",
  in: "is one of",
  contains: "contains",
  starts: "starts with",
  missing: "is missing",
  present: "is present",
};

export function conditionText(condition: Condition): string {
  const words = OPERATOR_WORDS[condition.operator ?? "eq"];
  const value = Array.isArray(condition.value) ? condition.value.join(", ") : (condition.value ?? "");
  return `${condition.column} ${words} ${value}`.trim();
}

export const isNumeric = (type: string) => /int|float|double|decimal|number/i.test(type);
