import { expect, test } from "vitest";

import { actText } from "./Activity";

test("an act is told in words", () => {
  expect(actText({ action: "create", object_kind: "run", name: "Pilot" })).toBe("made the run Pilot");
  expect(actText({ action: "project.made", object_kind: "project", name: "S" })).toBe("made the project S");
  expect(actText({ action: "delete", object_kind: "validation", name: null })).toBe("deleted a check");
  expect(actText({ action: "member.joined", object_kind: "user", name: null })).toBe("joined the project");
});
