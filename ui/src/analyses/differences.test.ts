import { expect, test } from "vitest";

import type { Explanation } from "@/queries";

import { differences } from "./differences";

const BEFORE: Explanation = {
  tables: [{ name: "ae", key: ["USUBJID", "AESEQ"], columns: { AESEV: "category", AESTDY: "integer" } }],
  derivations: [
    { table: "ae", variable: "AESTDY", template: "day", by: [], said: "AESTDY: a study day", rows: 9, exceptions: 0 },
  ],
  dependencies: [],
  references: ["ae (USUBJID) -> dm (USUBJID)"],
  links: [],
  orders: [],
  supplements: [],
  pii: {},
  not_learned: [],
};

test("what a correction changed is told, and nothing else", () => {
  expect(differences(BEFORE, BEFORE)).toEqual([]);
  const after: Explanation = {
    ...BEFORE,
    tables: [{ name: "ae", key: ["USUBJID"], columns: { AESEV: "text", AESTDY: "integer" } }],
    derivations: [],
    pii: { "ae.AETERM": "name" },
    references: [],
  };
  expect(differences(BEFORE, after)).toEqual([
    "ae.AESTDY is no longer computed, but drawn",
    "A row of ae is told apart by USUBJID",
    "ae.AESEV is text, no longer category",
    "No longer: ae (USUBJID) -> dm (USUBJID)",
    "ae.AETERM is personal data (name) and replaced",
  ]);
});
