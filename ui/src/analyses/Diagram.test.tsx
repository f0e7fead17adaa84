import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { columnsOf, Diagram, parseReference } from "./Diagram";

const SAID = [
  "ae (USUBJID) -> dm (USUBJID)",
  "lb (USUBJID, VISITNUM) -> sv (USUBJID, VISITNUM)",
  "sv (USUBJID) -> dm (USUBJID)",
];

test("references are read, and tables stand behind those they refer to", () => {
  const found = SAID.map((each) => parseReference(each)!);
  expect(found[1]).toEqual({ from: "lb", to: "sv", by: "USUBJID, VISITNUM" });
  expect(parseReference("something else")).toBeNull();
  expect(columnsOf(found)).toEqual([["dm"], ["ae", "sv"], ["lb"]]);
});

test("a circle of references comes to an end", () => {
  const circle = [
    { from: "a", to: "b", by: "x" },
    { from: "b", to: "a", by: "x" },
  ];
  expect(columnsOf(circle).flat().sort()).toEqual(["a", "b"]);
});

test("the drawing says in words what it shows", () => {
  render(<Diagram references={SAID} />);
  expect(screen.getByRole("img").getAttribute("aria-label")).toMatch(/^3 references between 4 tables/);
});
