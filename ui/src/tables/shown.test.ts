import { expect, test } from "vitest";

import { conditionText, nextSort, readSort, readWhere, writeWhere } from "./shown";
import { columnWidths } from "./TableView";

test("conditions live in the address, and nonsense there does no harm", () => {
  const where = [{ column: "AESEV", operator: "in" as const, value: ["MILD", "SEVERE"] }];
  expect(readWhere(writeWhere(where))).toEqual(where);
  expect(readWhere("{")).toEqual([]);
  expect(readWhere('[{"column": "A", "operator": "drop"}, 7]')).toEqual([]);
  expect(writeWhere([])).toBeUndefined();
  expect(conditionText(where[0]!)).toBe("AESEV is one of MILD, SEVERE");
});

test("a head is pressed: up, down, as in the file", () => {
  expect(nextSort(undefined, "AGE")).toBe("AGE");
  expect(nextSort("AGE", "AGE")).toBe("-AGE");
  expect(nextSort("-AGE", "AGE")).toBeUndefined();
  expect(readSort("-AGE")).toEqual([{ column: "AGE", descending: true }]);
});

test("columns are as wide as their content, within bounds", () => {
  const columns = ["A", "LONGCOLUMNNAME"].map((name) => ({ name, label: "", type: "text", format: "" }));
  const { columns: widths } = columnWidths(columns, [["x".repeat(500), "y"]]);
  expect(widths[0]).toBe(320);
  expect(widths[1]).toBeGreaterThan(14 * 8);
  const mark = {
    row: 1,
    variable: "A",
    kind: "misspelled",
    change: "cell",
    severity: "minor",
    old: "PLACEBO",
    new: "PLCAEBO",
  };
  expect(columnWidths(columns, [["PLCAEBO", ""]], [mark]).columns[0]).toBeGreaterThan(15 * 7);
});
