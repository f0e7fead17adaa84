import { expect, test } from "vitest";

import { ago, bytes, count, seconds } from "./format";
import { domainsOf } from "./projects/NewProject";
import { safeNext } from "./router";

test("the way back after signing in stays in this service", () => {
  expect(safeNext("/projects/1/runs?view=data")).toBe("/projects/1/runs?view=data");
  const elsewhere = ["https://evil.example", "//evil.example", "/\\evil.example", "", 7, undefined];
  expect(elsewhere.map(safeNext).filter(Boolean)).toEqual([]);
});

test("words for numbers", () => {
  expect([bytes(999), bytes(1500), bytes(12_345_678)]).toEqual(["999 B", `${(1.5).toLocaleString()} kB`, "12 MB"]);
  expect([count(1, "row"), count(2000, "row")]).toEqual(["1 row", `${(2000).toLocaleString()} rows`]);
  expect([seconds(0.2), seconds(1), seconds(600)]).toEqual(["less than a second", "1 second", "10 minutes"]);
  expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:30Z"))).toBe("just now");
  expect(domainsOf("dm, ae;lb  DM")).toEqual(["DM", "AE", "LB"]);
});
