/** The journey of somebody who has never been here: from the first start to a download, part after part. */
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { breaches, chromiumPath, printFigures, SHOTS } from "./browser";
import { Journey } from "./journey";
import { administration } from "./parts/administration";
import { configure } from "./parts/configure";
import { data } from "./parts/data";
import { deliver } from "./parts/deliver";
import { found } from "./parts/found";
import { judge } from "./parts/judge";
import { people } from "./parts/people";
import { oneClick, sample } from "./parts/sample";
import { start } from "./parts/start";

const path = chromiumPath();
if (!path && process.env.CI) throw new Error("Continuous integration has no browser: the interface would go untested.");
if (!path) console.warn("No browser: these tests are skipped. On Debian: apt-get install chromium, or set CHROMIUM.");

describe.skipIf(!path)("the journey", () => {
  const journey = new Journey();

  beforeAll(() => journey.begin());
  afterAll(() => journey.end());
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await journey.page.screenshot({ path: join(SHOTS, "failed.png") });
  });

  for (const part of [start, data, found, configure, judge, deliver, oneClick, people, administration, sample])
    part(journey);

  test("first pages load in a moment", async () => {
    const figures = await printFigures(journey.page, [`${journey.service.url}/`, journey.projectUrl]);
    for (const each of figures) expect(each.blocked, "no page holds the browser up").toBeLessThan(2_000);
  });

  test("every page can be used by everyone, on every screen", () => {
    expect(breaches).toEqual([]);
  });

  test("no error in the browser's console on the way", () => {
    // Refused logins are answers of the service, and the line was cut on purpose: no errors of the page.
    const expected = /401|409|422|status of 4|ERR_INTERNET_DISCONNECTED|ERR_FAILED/;
    expect(journey.errors.filter((error) => !expected.test(error))).toEqual([]);
  });
});
