import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { test } from "vitest";

import { accessible, shoot } from "../browser";
import { type Journey, SAMPLE, WORK } from "../journey";

/** Uploading: what is recognised, what is wrong, what is cut off. */
export function data(j: Journey) {
  const { link, button, heading } = j;

  test("an upload that is cut off goes on after a reload of the page", async () => {
    const { page } = j;
    const large = join(j.folder, "big.csv");
    const lines = Array.from({ length: 110_000 }, (_, at) => `S-${at % 500},${at},${(at * 7919) % 1000},some words`);
    writeFileSync(large, `SUBJECT,SEQ,VALUE,NOTE\n${lines.join("\n")}\n`);
    let parts = 0;
    let cut = () => {};
    const isCut = new Promise<void>((done) => (cut = done));
    await page.route("**/uploads/*", async (route) => {
      if (route.request().method() === "PATCH" && (parts += 1) > 1) await route.abort().then(cut);
      else await route.continue();
    });
    await page.getByLabel("Name of the dataset").fill("Cut off");
    await page.locator("input[type=file]").first().setInputFiles([large]);
    await isCut;
    page.once("dialog", (dialog) => void dialog.accept()); // the page warns before it leaves an upload
    await page.reload();
    await page.unroute("**/uploads/*");
    await link("Cut off").click();
    await page.getByText(/An upload was cut off/).waitFor();
    await page.getByText("big.csv: 2.1 MB of").waitFor();
    await accessible(page, "cut off");
    await shoot(page, "cut-off");
    await page.locator("input[type=file]").first().setInputFiles([large]);
    await heading(/in version 1/).waitFor({ timeout: WORK });
    await button("Delete the dataset").click();
    await button("Delete the dataset").last().click();
    await heading("Upload a study").waitFor();
  });

  test("files are uploaded and recognised", async () => {
    const { page } = j;
    const files = ["dm", "ae", "lb", "ex", "vs", "sv"].map((name) => join(SAMPLE, `${name}.xpt`));
    await page.locator("input[type=file]").first().setInputFiles(files);
    await heading(/in version 1/).waitFor({ timeout: WORK });
    await page.getByRole("cell", { name: /Adverse Events/ }).waitFor({ timeout: WORK });
    await accessible(page, "dataset");
    await shoot(page, "dataset");
    await link("Look at the rows").click();
    await page.getByRole("table").waitFor();
    await accessible(page, "rows of a dataset");
  });

  test("what is wrong with a file is named", async () => {
    const { page } = j;
    await page.goBack();
    const broken = { name: "cm.csv", mimeType: "text/csv", buffer: Buffer.from('USUBJID,CMTRT\n1,"aspirin\n') };
    await page.locator("input[type=file]").first().setInputFiles([broken]);
    await page
      .getByText(/cm\.csv/)
      .first()
      .waitFor({ timeout: WORK });
    await shoot(page, "dataset-problem");
    await button(/Remove cm\.csv/).click({ timeout: WORK });
    await page.getByText("version 3").first().waitFor({ timeout: WORK });
    await button("Analyse").waitFor({ timeout: WORK });
  });
}
