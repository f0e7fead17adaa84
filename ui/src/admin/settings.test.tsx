import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";

import { GROUPS } from "./settings";
import { SettingsForm } from "./SettingsForm";

const cache = GROUPS.find((group) => group.name === "cache")!;

test("only what was changed is sent; emptied numbers are without limit", async () => {
  const save = vi.fn(() => Promise.resolve());
  const before = { enabled: true, max_bytes: 50 * 2 ** 30, lifetime_days: 30 };
  render(
    <SettingsForm
      title="Cache"
      fields={cache.fields}
      before={before}
      tiers={[]}
      fixed={[]}
      readOnly={false}
      onSave={save}
    />,
  );
  const button = screen.getByRole("button", { name: "Save" });
  expect(button.hasAttribute("disabled")).toBe(true);
  const days = screen.getByLabelText("Days until an entry goes");
  await userEvent.clear(days);
  await userEvent.tab();
  const size = screen.getByLabelText("Size at most (GiB)");
  await userEvent.clear(size);
  await userEvent.type(size, "2");
  await userEvent.tab();
  await userEvent.click(button);
  expect(save).toHaveBeenCalledWith({ max_bytes: 2 * 2 ** 30, lifetime_days: null });
});

test("what the environment fixes, and readers, cannot change", () => {
  render(
    <SettingsForm
      title="Cache"
      fields={cache.fields}
      before={{ enabled: true }}
      tiers={[]}
      fixed={["enabled"]}
      readOnly
      onSave={() => Promise.resolve()}
    />,
  );
  expect((screen.getByRole("checkbox") as HTMLInputElement).disabled).toBe(true);
  expect(screen.getByText(/Fixed by the environment/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
});
