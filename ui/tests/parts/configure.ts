import { test } from "vitest";

import { accessible, keyboard, shoot } from "../browser";
import { type Journey } from "../journey";

/** A request, put together by the form, kept under a name, and started. */
export function configure(j: Journey) {
  const { link, button } = j;

  test("rules are built from what was found, and the service looks at them", async () => {
    const { page } = j;
    await link("Generate subjects").first().click();
    await j.choose(/Variable$/, "AGE");
    await j.choose(/What holds$/, "is at least");
    await page.getByRole("textbox", { name: "Value" }).fill("18");
    await page.getByText("DM: AGE >= 18", { exact: true }).waitFor();
    await button("Add the rule").click();
    await button("Build another rule").click();
    await j.choose(/Table$/, "AE");
    await j.choose(/Variable$/, "AEREL");
    await j.choose(/What holds$/, "is one of");
    await page.getByRole("group", { name: "Values of AEREL" }).getByRole("checkbox").first().check({ force: true });
    await button("Add the rule").click();
    await page.getByText(/^The 2 rules fit/).waitFor();
    const rules = page.getByRole("textbox", { name: "Rules" });
    await rules.fill("DM AGE >= 18");
    await page.getByText(/Line 1: write the table/).waitFor();
    await rules.fill("DM: AGEE >= 18");
    await page.getByText(/Did you mean AGE/).waitFor();
    await button(/^Generate/)
      .and(page.locator("[disabled]"))
      .waitFor();
    await rules.fill("DM: AGE >= 18");
    await page.getByText("The rule fits what was learned, and each other.").waitFor();
  });

  test("what cannot be is told before anything runs", async () => {
    const { page } = j;
    const rules = page.getByRole("textbox", { name: "Rules" });
    await rules.fill("DM: AGE >= 66\nDM: AGE < 64");
    const problems = page.getByRole("list", { name: "Problems of the rules" });
    await problems.getByText(/contradict each other: no value of dm.AGE fits both/).waitFor();
    await button(/^Generate/)
      .and(page.locator("[disabled]"))
      .waitFor();
    await accessible(page, "a contradiction");
    await shoot(page, "contradiction");
    await rules.fill("DM: SEX = 'X'");
    await problems.getByText(/dm\.SEX is .*'F', 'M'/).waitFor();
    await rules.fill("DM: AGE >= 18");
    await page.getByText(/^The rule fits/).waitFor();
    await keyboard(page, "generate");
  });

  test("numbers, faults, an estimate, and the same in other words", async () => {
    const { page } = j;
    await page.getByLabel("Subjects", { exact: true }).fill("120");
    await page.getByLabel("Seed", { exact: true }).fill("7");
    await j.choose(/Count by/, /^ARM/);
    await j.choose(/Profile$/, /^light/);
    await page.getByRole("group", { name: "What the profile does" }).getByText("misspelled").waitFor();
    await page.getByText("include: light").waitFor();
    await page.getByText("variable: ae.AESEV").waitFor();
    await page.getByText("Time, about").waitFor();
    await page
      .getByText(/^Rows, about$/)
      .locator("xpath=following-sibling::dd[1]")
      .getByText(/[\d,.]+/)
      .waitFor();
    await accessible(page, "generate");
    await shoot(page, "generate");
  });

  test("a request is kept under a name, and started from", async () => {
    const { page } = j;
    await button("Presets").click();
    await page.getByLabel("Keep the request at hand as").fill("Light errors");
    await button("Keep it").click();
    await button(/^Start from it.*Light errors/).waitFor();
    await accessible(page, "presets");
    await shoot(page, "presets");
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByLabel("Seed", { exact: true }).and(page.locator('[value="0"]')).waitFor();
    await button("Presets").click();
    await button(/^Start from it.*Light errors/).click();
    await page.getByText("include: light").waitFor();
    await page.getByLabel("Seed", { exact: true }).and(page.locator('[value="7"]')).waitFor();
    await button(/Generate 120 subjects/).click();
    await page.getByRole("progressbar").first().waitFor();
    await shoot(page, "progress");
    await page.context().setOffline(true);
    await page.waitForTimeout(1_500);
    await page.context().setOffline(false);
  });
}
