import { statSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { accessible, shoot } from "../browser";
import { type Journey, WORK } from "../journey";

/** Taking it away: downloads, targets, models, keys for programs. */
export function deliver(j: Journey) {
  const { link, button } = j;

  test("downloads, as made and in another format", async () => {
    const { page, service } = j;
    await link("Download and push").click();
    await button("Convert").click();
    const all = link("All as a zip").first();
    await page.getByRole("listitem").getByRole("link", { name: "All as a zip" }).waitFor({ timeout: WORK });
    await accessible(page, "downloads");
    await shoot(page, "downloads");
    await button("New target").click();
    await page.getByLabel("Name").fill("Hub");
    await page.getByLabel("Address").fill(`${service.url}/api/hub`);
    await accessible(page, "new target");
    await button("Set up the target").click();
    await button("Test Hub").click();
    await page.getByRole("alert").waitFor(); // an address of this machine is refused, and said so
    await button("Close").last().click();
    const [download] = await Promise.all([page.waitForEvent("download"), all.click()]);
    const target = join(j.folder, download.suggestedFilename());
    await download.saveAs(target);
    expect(statSync(target).size).toBeGreaterThan(10_000);
  });

  test("the model goes out and comes back in, and makes subjects without the data", async () => {
    const { page } = j;
    await link("Models").click();
    const [model] = await Promise.all([page.waitForEvent("download"), link(/^Export/).click()]);
    const target = join(j.folder, "brought.json");
    await model.saveAs(target);
    await page.locator("input[type=file]").setInputFiles(target);
    await page.getByRole("heading", { name: /^brought/ }).waitFor();
    const none = { name: "none.json", mimeType: "application/json", buffer: Buffer.from('{"format": "x"}') };
    await page.locator("input[type=file]").setInputFiles(none);
    await page.getByText(/The document is no model/).waitFor({ timeout: WORK });
    const row = page.getByRole("listitem").filter({ hasText: "brought" });
    await row.getByRole("link", { name: "Generate from it" }).click({ timeout: WORK });
    await page.getByText("Needs the data, which are not here.").waitFor();
    await j.choose(/Variable$/, "SEX");
    await j.choose(/What holds$/, "is one of");
    await page.getByRole("group", { name: "Values of SEX" }).getByRole("checkbox").first().check({ force: true });
    await button("Add the rule").click();
    await page.getByText("The rule fits what was learned, and each other.").waitFor();
    await j.choose(/Count by/, /^ARM/);
    await page.getByLabel("Subjects", { exact: true }).fill("30");
    await page.keyboard.press("Tab");
    await page.getByText("model: Model-brought-version-1.json").waitFor();
    await accessible(page, "generate from a model");
    await button("Generate 30 subjects").click();
    await link("Summary").waitFor({ timeout: WORK });
    await link("Single subjects").click();
    await page.getByRole("region", { name: "Timeline of the subject" }).waitFor();
    await page.getByText("1 of 30", { exact: true }).waitFor();
    await link("Models").click();
    await accessible(page, "models");
    await shoot(page, "models");
  });

  test("a key for programs", async () => {
    const { page, service } = j;
    await page.goto(`${service.url}/keys`);
    await button("New key").click();
    await page.getByLabel("Name").fill("nightly");
    await button("Make the key").click();
    await page.getByText(/Copy the key now/).waitFor();
    const key = await page.getByLabel("Your new key").last().innerText();
    const answer = await fetch(`${service.url}/api/projects`, { headers: { Authorization: `Bearer ${key.trim()}` } });
    expect(answer.status).toBe(200);
    await accessible(page, "keys");
    await shoot(page, "keys");
    await page.goto(`${service.url}/account`);
    await page.getByText("Subjects generated").waitFor();
    await accessible(page, "account");
    await shoot(page, "account");
  });
}
