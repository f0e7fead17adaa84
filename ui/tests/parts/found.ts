import { test } from "vitest";

import { accessible, keyboard, shoot } from "../browser";
import { type Journey, WORK } from "../journey";

/** What was found, looked at from all sides, and set right. */
export function found(j: Journey) {
  const { link, button, heading } = j;

  test("what was found", async () => {
    const { page } = j;
    await button("Analyse").click();
    await heading("Visits").waitFor({ timeout: WORK });
    await heading("How tables refer to each other").waitFor();
    await accessible(page, "what was found");
    await link(/^Relations/).click();
    await heading(/Computed variables/).waitFor();
    await accessible(page, "relations");
    await shoot(page, "relations");
  });

  test("courses, events by arm, correlations, single subjects", async () => {
    const { page } = j;
    await link("Courses and events").click();
    await heading("Visit course of a test").waitFor();
    await j.choose(/Test$/, /^SYSBP/);
    await page.getByRole("region", { name: /Course of Systolic/ }).waitFor();
    await page.getByText("The numbers").click();
    await page.getByRole("rowheader", { name: "BASELINE" }).waitFor();
    await heading("Adverse Events ae").waitFor();
    await accessible(page, "courses");
    await shoot(page, "courses");
    await link("Correlations").click();
    await page.getByRole("img", { name: /^Correlations of/ }).waitFor();
    await accessible(page, "correlations");
    await shoot(page, "correlations");
    await link("Single subjects").click();
    await page.getByRole("region", { name: "Timeline of the subject" }).waitFor();
    const first = page.url();
    await button("The next subject").click();
    await page.waitForURL((url) => url.href !== first && url.searchParams.has("subject"));
    await page.getByText("2 of 20", { exact: true }).waitFor();
    await button(/Subject$/).click();
    await page.getByRole("searchbox").fill("-005");
    await page.getByRole("option").filter({ hasNotText: "-005" }).first().waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/subject=[^&]*-005$/);
    await page.getByText("In words").click();
    await page.getByRole("list", { name: "What happened when" }).getByText(/day 1/).first().waitFor();
    await accessible(page, "a subject");
    await shoot(page, "subject");
  });

  test("what is not so is corrected, and the study learned again", async () => {
    const { page } = j;
    await link("Tables and variables").click();
    await page.getByText("computed").first().waitFor();
    await button("Correct AESEV").scrollIntoViewIfNeeded();
    await page.waitForTimeout(300); // scrolling closes menus
    await button("Correct AESEV").click();
    await page.getByRole("menuitem", { name: "It is free text" }).click();
    await page.getByText("1 correction noted").waitFor();
    await button("Correct the key").click();
    await page.getByRole("dialog").getByText("AESEQ", { exact: true }).click();
    await button("Cancel").click();
    await accessible(page, "variables");
    await keyboard(page, "variables");
    await shoot(page, "variables");
    await button("Learn again with it").click();
    await page.getByText(/Learned anew: /).waitFor({ timeout: WORK });
    await page.getByText("ae.AESEV is text, no longer category").waitFor();
    await accessible(page, "learned again");
  });
}
