import { expect, test } from "vitest";

import type { Roles } from "@/queries";

import { dayOf, lanesOf, merged } from "./days";

const AE: Roles = {
  table: "ae",
  label: "Adverse Events",
  layout: "events",
  subject: "USUBJID",
  date: null,
  start: "AESTDTC",
  end: "AEENDTC",
  what: "AEDECOD",
  value: null,
  visit: null,
};

test("dates of any precision are days, anything else is none", () => {
  expect(dayOf("1970-01-02")).toBe(1);
  expect(dayOf("1970-01-02T23:10")).toBe(1);
  expect(dayOf("1970-02")).toBe(31);
  expect(dayOf("UNK")).toBeNull();
  expect(dayOf(null)).toBeNull();
});

test("what lasts has a lane for each term, and an open end where none is known", () => {
  const lanes = lanesOf(
    AE,
    ["AEDECOD", "AESTDTC", "AEENDTC"],
    [
      ["Rash", "1970-01-11", null],
      ["Nausea", "1970-01-02", "1970-01-04"],
      ["Rash", "1970-01-05", "1970-01-06"],
      ["Lost", null, "1970-01-06"],
    ],
  );
  expect(lanes.map((lane) => lane.name)).toEqual(["Nausea", "Rash"]);
  expect(lanes[1]!.bars.map((bar) => [bar.from, bar.to, bar.open])).toEqual([
    [10, 10, true],
    [4, 5, false],
  ]);
});

test("results share a lane, and those of a day are one mark", () => {
  const roles = {
    ...AE,
    layout: "findings",
    start: null,
    end: null,
    date: "LBDTC",
    what: "LBTESTCD",
    value: "LBSTRESN",
  };
  const [lane] = lanesOf(
    roles,
    ["LBTESTCD", "LBDTC", "LBSTRESN"],
    [
      ["ALT", "1970-01-02", 31],
      ["AST", "1970-01-02", 22],
      ["ALT", "1970-01-09", 30],
    ],
  );
  expect(merged(lane!.bars).map((bar) => bar.text)).toEqual(["ALT 31, AST 22", "ALT 30"]);
  expect(lanesOf({ ...roles, date: "NONE" }, ["LBDTC"], [["1970-01-02"]])).toEqual([]);
});
