import { expect, test } from "vitest";

import { accessible, shoot } from "../browser";
import { type Journey, WORK } from "../journey";

/** Nothing of what follows needs the workers: the sample study is made meanwhile. */
export function oneClick(j: Journey) {
  test("the sample study in one click: it is made while the journey goes on", async () => {
    j.aside = await j.page.context().newPage();
    await j.aside.goto(j.service.url);
    await j.aside.getByRole("button", { name: "Try with the sample study" }).click();
    await j.aside.getByText(/Taking in|Looking into/).waitFor();
  });
}

/** The finished project that one click made, without any data of one's own. */
export function sample(j: Journey) {
  const { link, button } = j;

  test("the sample study is finished", async () => {
    const { page, aside } = j;
    await aside.getByRole("heading", { name: "Sample study" }).waitFor({ timeout: WORK });
    await page.goto(aside.url());
    await aside.close();
    await link("Look and download").waitFor({ timeout: WORK });
    await page.getByText(/made the run 200 new subjects/).waitFor();
    await accessible(page, "overview");
    await shoot(page, "overview");
    await link("See what was found").click();
    await page.getByRole("heading", { name: "Visits" }).waitFor();
    await shoot(page, "found");
    await link("Runs").click();
    await page.getByRole("rowheader").getByRole("link").first().click();
    await link("Report").click();
    await page.frameLocator("iframe").getByRole("heading").first().waitFor();
    await shoot(page, "report");
  });

  test("after a correction only what depends on it is learned again", async () => {
    const { page } = j;
    await link("What was found").click();
    await link("Tables and variables").click();
    await button("Correct AESEV").click();
    await page.getByRole("menuitem", { name: "It is free text" }).click();
    await button("Learn again with it").click();
    const told = page.getByText(/learned again, \d+ parts taken over from Sample study, version 1/);
    await told.waitFor({ timeout: WORK });
    await told.click();
    await page.getByText(/rows of ae/).waitFor();
    const [again, kept] = (await told.innerText()).match(/\d+/g)!.map(Number);
    expect(kept, "most is taken over").toBeGreaterThan(again!);
    await accessible(page, "learned again in part");
    await shoot(page, "learned-again");
  });
}
