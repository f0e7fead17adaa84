import { expect, test } from "vitest";

import { accessible, shoot } from "../browser";
import { type Journey } from "../journey";

/** Looking after the service. */
export function administration(j: Journey) {
  const { link, button, heading } = j;

  test("administration: people, settings, tiers, logs, audit trail", async () => {
    const { page, service } = j;
    await button(/^Your account/).click();
    await page.getByRole("menuitem", { name: "Administration" }).click();
    await page.getByRole("rowheader", { name: /Ada/ }).waitFor();
    await accessible(page, "people");
    await shoot(page, "people");
    await link("Settings").click();
    await page.getByLabel("Domains that may register in any case").fill("example.org");
    await page.locator("form", { hasText: "Who gets in" }).getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved. It counts with the next request.").waitFor();
    expect(await (await fetch(`${service.url}/api/auth/methods`)).json()).toMatchObject({ registration: true });
    await accessible(page, "settings");
    await shoot(page, "settings");
    await link("Tiers and quotas").click();
    await page.getByRole("heading", { name: "standard" }).waitFor();
    await shoot(page, "tiers");
    await link("Usage and logs").click();
    await page.getByRole("rowheader", { name: "generation" }).waitFor();
    await accessible(page, "logs");
    await shoot(page, "logs");
    await heading("Use by day").waitFor();
    await link("Cache").click();
    await page.getByRole("rowheader", { name: "run", exact: true }).waitFor();
    await accessible(page, "cache");
    await shoot(page, "cache");
    await link("Audit trail").click();
    await page.getByRole("rowheader", { name: "settings.changed" }).waitFor();
    await button("Check that it is whole").click();
    await page.getByText(/The trail is whole/).waitFor();
    await accessible(page, "audit trail");
    await shoot(page, "audit");
  });
}
