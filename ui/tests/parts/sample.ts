import { test } from "vitest";

import { accessible, shoot } from "../browser";
import { type Journey, WORK } from "../journey";

/** A finished project without any data of one's own. */
export function sample(j: Journey) {
  const { link, button } = j;

  test(
    "the sample study in one click",
    async () => {
      const { page, service } = j;
      await page.goto(service.url);
      await button("Try with the sample study").click();
      await page.getByRole("heading", { name: "Sample study" }).waitFor({ timeout: WORK });
      await accessible(page, "overview");
      await shoot(page, "overview");
      await link("Look and download").waitFor({ timeout: 2 * WORK });
      await shoot(page, "overview-done");
      await link("See what was found").click();
      await page.getByRole("heading", { name: "Visits" }).waitFor();
      await shoot(page, "found");
      await link("Runs").click();
      await page.getByRole("rowheader").getByRole("link").first().click();
      await link("Report").click();
      await page.frameLocator("iframe").getByRole("heading").first().waitFor();
      await shoot(page, "report");
    },
    3 * WORK,
  );
}
