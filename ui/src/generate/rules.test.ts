import { expect, test } from "vitest";

import { domainOf, implied, operatorsOf, ruleOf, sortOf } from "./rules";

const AGE = { name: "AGE", kind: "integer", type: "float" };
const SEV = { name: "AESEV", kind: "category", type: "text" };
const START = { name: "AESTDTC", kind: "date", type: "text" };

test("choices become the text of a rule", () => {
  expect(ruleOf(AGE, ">=", ["18"])).toBe("AGE >= 18");
  expect(ruleOf(AGE, "between", ["18", "75"])).toBe("AGE between 18 and 75");
  expect(ruleOf(SEV, "in", ["MILD", "PATIENT'S"])).toBe("AESEV in ('MILD', 'PATIENT''S')");
  expect(ruleOf({ name: "VISITNUM", kind: "category", type: "float" }, "in", ["1", "2.5"])).toBe(
    "VISITNUM in (1, 2.5)",
  );
  expect(ruleOf(START, ">=", ["2020-01"])).toBe("AESTDTC >= '2020-01'");
  expect(ruleOf(START, "<= other", ["AEENDTC"])).toBe("AESTDTC <= AEENDTC");
  expect(ruleOf(SEV, "is not missing", [])).toBe("AESEV is not missing");
  expect(implied("AESEV = 'SEVERE'", "AESER = 'Y'")).toBe("AESEV = 'SEVERE' implies AESER = 'Y'");
});

test("nothing is made of half a choice", () => {
  expect(ruleOf(AGE, ">=", [""])).toBeNull();
  expect(ruleOf(AGE, "between", ["18"])).toBeNull();
  expect(ruleOf(SEV, "in", [])).toBeNull();
  expect(ruleOf(AGE, "no operator", ["1"])).toBeNull();
});

test("what can be said depends on what a variable holds", () => {
  expect(operatorsOf(sortOf(AGE)).map((each) => each.value)).toContain("between");
  expect(operatorsOf(sortOf(SEV)).map((each) => each.value)).toContain("in");
  expect(operatorsOf(sortOf(SEV)).map((each) => each.value)).not.toContain(">=");
  expect(sortOf({ kind: "integer", type: "text" })).toBe("text");
  expect(domainOf({ name: "ae" })).toBe("AE");
  expect(domainOf({ name: "visit_occurrence" })).toBe("visit_occurrence");
});
