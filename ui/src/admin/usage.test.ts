import { expect, test } from "vitest";

import { everyDay } from "./UsageCharts";

test("days without anything are days of a chart as well", () => {
  const one = {
    day: "2026-03-02",
    requests: 5,
    errors: 0,
    work: 1,
    cache_hits: 0,
    rate_limit_hits: 0,
    cpu_seconds: 1,
    rows: 9,
    cost: 0,
  };
  const days = everyDay([one], 3, Date.parse("2026-03-03T10:00:00Z"));
  expect(days.map((each) => [each.day, each.requests])).toEqual([
    ["2026-03-01", 0],
    ["2026-03-02", 5],
    ["2026-03-03", 0],
  ]);
});
