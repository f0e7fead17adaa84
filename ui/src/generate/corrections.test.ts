import { expect, test } from "vitest";

import { correctionsOf, correctionText } from "./corrections";

test("what can be said against a finding depends on the finding", () => {
  const computed = correctionsOf("lb.LBNRIND", { kind: "category", computed: "derivation", pii: null });
  expect(computed[0]).toEqual({
    text: "It is not computed",
    correction: { deny: "derivation", variable: "lb.LBNRIND" },
  });
  expect(computed.some((each) => each.correction.kind === "category")).toBe(false);
  const personal = correctionsOf("dm.NAME", { kind: "pii", computed: null, pii: "name" });
  expect(personal[0]!.correction).toEqual({ deny: "pii", variable: "dm.NAME" });
  expect(personal.some((each) => each.correction.pii)).toBe(false);
});

test("corrections are told in words", () => {
  expect(correctionText({ deny: "derivation", variable: "lb.LBNRIND" })).toBe("lb.LBNRIND: no derivation");
  expect(correctionText({ kind: "text", variable: "ae.AETERM" })).toBe("ae.AETERM: is of the kind text");
});
