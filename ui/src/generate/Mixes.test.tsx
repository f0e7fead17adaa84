import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";

import type { ColumnProfile, Known } from "@/queries";

import { groupsOf, Mixes, sharedOut } from "./Mixes";
import type { Mix } from "./request";

const column = (name: string, values: string[], computed: string | null = null): ColumnProfile => ({
  name,
  label: "",
  kind: "category",
  type: "text",
  missing: 0,
  distinct: values.length,
  computed,
  pii: null,
  quantiles: null,
  lengths: null,
  categories: values.map((value) => ({ value, rows: 5, subjects: 5 })),
});

const profile = {
  root: "dm",
  arm: "ARMCD",
  arms: [
    { value: "PBO", subjects: 5 },
    { value: "NEW", subjects: 5 },
  ],
  site: null,
  sites: [],
  tables: [
    {
      name: "dm",
      columns: [column("ARMCD", ["PBO", "NEW"]), column("SEX", ["F", "M"]), column("ARM", ["a", "b"], "ARM: lookup")],
    },
  ],
} as unknown as Known;

test("subjects can be counted by the arm and by what is drawn for them, not by what follows", () => {
  expect(groupsOf(profile).map((group) => group.name)).toEqual(["ARMCD", "SEX"]);
});

test("numbers sum up to what is asked for", () => {
  expect(sharedOut({ a: 1, b: 1, c: 1 }, 100)).toEqual({ a: 34, b: 33, c: 33 });
  expect(sharedOut({ a: 0, b: 0 }, 7)).toEqual({ a: 0, b: 0 });
  expect(Object.values(sharedOut({ a: 2, b: 3, c: 0.5 }, 301)).reduce((sum, each) => sum + each, 0)).toBe(301);
});

test("exact numbers that differ from the subjects are said, and can be taken over", async () => {
  let subjects = 10;
  function Form() {
    const [mixes, setMixes] = useState<Mix[]>([{ variable: "SEX", by: "numbers", values: { F: 4, M: 4 } }]);
    const [all, setAll] = useState(subjects);
    subjects = all;
    return (
      <Mixes profile={profile} mixes={mixes} subjects={all} wrong={undefined} onChange={setMixes} onTotal={setAll} />
    );
  }
  render(<Form />);
  expect(screen.getByText(/Together 8, but 10 subjects/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Ask for 8" }));
  expect(subjects).toBe(8);
  expect(screen.queryByText(/Together/)).toBeNull();
});
