import { expect, test } from "vitest";

import { words } from "./words";

test("a part of a request is read as words", () => {
  expect(words([{ domain: "DM", rule: "AGE >= 18" }])).toBe("domain: DM, rule: AGE >= 18");
  expect(words({ ARMCD: { ratio: { A: 1, B: 2 } } })).toBe("ARMCD: ratio: A: 1, B: 2");
  expect([words(undefined), words(true), words([])]).toEqual(["–", "yes", "none"]);
});
