import { expect, test } from "vitest";

import { accessible, keyboard, shoot } from "../browser";
import { type Journey, WORK } from "../journey";

/** Looking at what was made: rows, faults, findings, single subjects, and runs side by side. */
export function judge(j: Journey) {
  const { link, button, heading } = j;

  test("progress over a lost connection, and the result with its verdict on privacy", async () => {
    const { page } = j;
    await link("Summary").waitFor({ timeout: WORK });
    await heading("Privacy").waitFor();
    await page.getByRole("list", { name: "Figures of privacy" }).getByText("Copies", { exact: true }).waitFor();
    await accessible(page, "result");
    await shoot(page, "result");
  });

  test("faults stand in the rows with what was there before", async () => {
    const { page } = j;
    await link("Faults").click();
    await heading(/By kind/).waitFor();
    await button(/^Only these \(digits-swapped\)/).click();
    await page.getByText(/One by one/).waitFor();
    await accessible(page, "faults");
    await shoot(page, "faults");
    await link("To the row").first().click();
    await page
      .getByRole("cell", { name: /digits swapped, before:/ })
      .first()
      .waitFor();
    await page.getByText("Only rows with faults").click();
    await page.getByText(/ of [\d,]+ rows/).waitFor();
    expect(page.url()).toContain("faulty=true");
    await accessible(page, "rows with faults");
    await shoot(page, "faulty-rows");
    await page.getByText("Only rows with faults").click();
  });

  test("rows of any number: sorted, filtered, scrolled", async () => {
    const { page } = j;
    await j.choose(/Table$/, /^lb/i);
    await page.getByRole("button", { name: "LBTESTCD", exact: true }).click();
    await page
      .getByRole("columnheader", { name: /LBTESTCD/ })
      .and(page.locator("[aria-sort=ascending]"))
      .waitFor();
    await button("Filter LBTESTCD").click();
    await page.getByRole("dialog").getByText("ALT", { exact: false }).first().click();
    await button("Apply").click();
    await page.getByText(/ of [\d,]+ rows/).waitFor();
    expect(page.url()).toContain("where=");
    await accessible(page, "rows");
    await keyboard(page, "rows");
    await shoot(page, "rows");
    const region = page.getByRole("region", { name: /^Rows of/ });
    await region.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByRole("cell", { name: "ALT" }).last().waitFor();
    await page.reload();
    await page.getByText(/ of [\d,]+ rows/).waitFor();
  });

  test("findings lead to the rows; a new subject's time", async () => {
    const { page } = j;
    await link(/^Checks/).click();
    await heading("By rule").waitFor();
    await accessible(page, "checks");
    await shoot(page, "checks");
    await button(/^Only these/)
      .first()
      .click();
    await page.waitForURL(/rule=/);
    await link("To the row").first().click();
    await page.waitForURL(/row=\d+/);
    await page.getByRole("table").waitFor();
    await link("Single subjects").click();
    await page.getByRole("region", { name: "Timeline of the subject" }).waitFor();
    await accessible(page, "a new subject");
  });

  test("again with changes, and both side by side", async () => {
    const { page } = j;
    await link("Run again, with changes").click();
    await page.getByText("include: light").waitFor();
    await page.getByLabel("Subjects", { exact: true }).fill("20");
    await page.getByText("Report: source against synthetic").click();
    await j.choose(/Profile$/, /^None/);
    await button("Remove ARM").click();
    await button("Generate 20 subjects").click();
    await link("Summary").waitFor({ timeout: WORK });
    await link("Runs").click();
    await page.getByRole("rowheader", { name: /, 20 subjects/ }).waitFor();
    for (const box of (await page.getByRole("checkbox").all()).slice(0, 2)) await box.check({ force: true });
    await link("Compare 2 runs").click();
    await heading("Runs side by side").waitFor();
    await page.getByRole("rowheader", { name: /^subjects \(differs\)/ }).waitFor();
    await accessible(page, "side by side");
    await shoot(page, "side-by-side");
    await page.goBack();
    await page
      .getByRole("rowheader")
      .getByRole("link", { name: /120 subjects/ })
      .click();
  });
}
