import type { Score } from "./Verdicts";

/** What a run that is done says of itself. */
export interface Summary {
  subjects: number | null;
  rows: Record<string, number> | number;
  format: string;
  files: number;
  report: boolean;
  answers: boolean;
  /** Figures of the report, by name. */
  scores?: Record<string, Score>;
  notes: string[];
  tables: { table: string; rows: number }[];
  validation: {
    ok: boolean;
    headline: string;
    checked: number;
    findings: number;
    broken: { rule: string; count: number; severity?: string; message?: string; title?: string }[];
    notes: string[];
  } | null;
}

/** Rows of a summary: a number, or a number for each table. */
export function total(rows: unknown): number {
  if (typeof rows === "number") return rows;
  if (typeof rows === "object" && rows !== null)
    return Object.values(rows).reduce<number>((sum, value) => sum + (typeof value === "number" ? value : 0), 0);
  return 0;
}
