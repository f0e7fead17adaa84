import { expect, test } from "vitest";

import {
  commandOf,
  documentOf,
  libraryCallOf,
  parseConstraints,
  python,
  requestOf,
  type Request,
  shellWord,
  START,
} from "./request";

const FULL: Request = {
  ...START,
  subjects: 300,
  seed: 7,
  variation: 1.5,
  stratified: false,
  format: "xpt",
  mixes: [
    { variable: "ARMCD", by: "ratio", values: { PBO: 1, "VEL 10": 2 } },
    { variable: "SEX", by: "numbers", values: { F: 200, M: 100 } },
  ],
  constraints: "DM: AGE >= 18\n\nAE: AESTDTC <= AEENDTC",
  rare: [
    { domain: "AE", where: "AESER = 'Y'", by: "times", amount: 3 },
    { domain: "AE", where: "AEOUT = 'FATAL'", by: "exactly", amount: 2 },
  ],
  scenarios: [{ name: "hys-law", subjects: 2 }],
  faults: "light",
  minSubjects: 3,
  corrections: [{ deny: "derivation", variable: "LB.LBNRIND" }],
};

test("a document holds only what was asked for", () => {
  expect(documentOf({ ...START, report: false })).toEqual({ subjects: 1000, seed: 0 });
});

test("the form comes back from its document", () => {
  const { request, left } = requestOf(documentOf(FULL));
  expect(left).toEqual([]);
  expect({ ...request, constraints: request.constraints.split("\n") }).toEqual({
    ...FULL,
    constraints: ["DM: AGE >= 18", "AE: AESTDTC <= AEENDTC"],
  });
});

test("what the form has no field for is named", () => {
  const { left } = requestOf({ subjects: 5, clones: [{ variable: "ARM", like: "A", name: "B" }], identifiers: {} });
  expect(left).toEqual(["clones"]);
});

test("constraints name their table, or the line that does not", () => {
  expect(parseConstraints("dm : AGE between 18 and 90").found).toEqual([
    { domain: "dm", rule: "AGE between 18 and 90" },
  ]);
  expect(parseConstraints("DM: AGE >= 18\nAGE < 90").wrong).toMatch(/^Line 2/);
});

test("the command line has options for all, or a document", () => {
  const { mixes: _mixes, constraints: _constraints, rare: _rare, scenarios: _scenarios, ...plain } = FULL;
  const simple = documentOf({ ...plain, mixes: [], constraints: "", rare: [], scenarios: [], corrections: [] });
  expect(commandOf(simple, "my study")).toBe(
    "datareplicator replicate 'my study' -n 300 --seed 7 --variation 1.5 --no-stratified --format xpt --report --min-subjects 3 --faults light -o out/",
  );
  expect(commandOf(documentOf(FULL), "study/")).toBe("datareplicator replicate study/ --config run.yaml -o out/");
  expect(shellWord("it's")).toBe(`'it'\\''s'`);
});

test("values as Python writes them", () => {
  expect(python({ a: [true, null, 'x"y', 1.5] })).toBe('{"a": [True, None, "x\\"y", 1.5]}');
  expect(libraryCallOf({ subjects: 10, seed: 7, format: "csv" }, "study/")).toContain(
    'synthetic.write("out/", format="csv")',
  );
});
