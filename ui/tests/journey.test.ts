/** The journey of somebody who has never been here: from the first start to a download. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { accessible, breaches, chromiumPath, launch, PASSWORD, type Service, shoot, startService } from "./browser";

const path = chromiumPath();
if (!path) console.warn("No browser: these tests are skipped. On Debian: apt-get install chromium, or set CHROMIUM.");

const SAMPLE = resolve(import.meta.dirname, "../../src/datareplicator/data/sample_study");
const ADMIN = "ada@example.org";
const VIEWER = "vera@example.org";
/** How long a job may take on a busy machine. */
const WORK = 60_000;

describe.skipIf(!path)("the journey", () => {
  let service: Service;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const downloads = mkdtempSync(join(tmpdir(), "datareplicator-ui-"));
  let projectUrl = "";

  const link = (name: string | RegExp) => page.getByRole("link", { name });
  const button = (name: string | RegExp) => page.getByRole("button", { name });

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launch(path!)]);
    page = await (
      await browser.newContext({ viewport: { width: 1280, height: 860 }, acceptDownloads: true })
    ).newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  });

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    rmSync(downloads, { recursive: true, force: true });
  });

  test("the first administrator, by the link of the log", async () => {
    expect(service.setup).toMatch(/^\/setup#token=/);
    await page.goto(service.url + service.setup);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("Email").fill(ADMIN);
    await page.getByLabel("Password").fill("short");
    await button("Create the administrator").click();
    await page
      .getByText(/12 characters|too short|at least/i)
      .last()
      .waitFor();
    await page.getByLabel("Password").fill(PASSWORD);
    await accessible(page, "setup");
    await shoot(page, "setup");
    await button("Create the administrator").click();
    await link("Sign in").click();
    await page.getByLabel("Email").waitFor();
    await accessible(page, "sign in");
    await shoot(page, "sign-in");
    await page.getByLabel("Email").fill(ADMIN);
    await page.getByLabel("Password").fill("wrong");
    await button("Sign in").click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Projects", exact: true }).waitFor();
    await accessible(page, "no project yet");
    await shoot(page, "empty");
  });

  test("a project", async () => {
    await button("New project").click();
    await page.getByLabel("Name").fill("Study 301");
    await page.getByLabel(/^Description/).fill("Dose finding, second part");
    await page.getByLabel(/^Target domains/).fill("dm ae, lb");
    await accessible(page, "new project");
    await shoot(page, "new-project");
    await button("Make the project").click();
    await page.getByRole("heading", { name: "Data", exact: true }).waitFor();
    projectUrl = page.url().replace(/\/data$/, "");
    await accessible(page, "no data yet");
    await shoot(page, "upload");
  });

  test("files are uploaded and recognised", async () => {
    const files = ["dm", "ae", "lb", "ex", "vs", "sv"].map((name) => join(SAMPLE, `${name}.xpt`));
    await page.locator("input[type=file]").first().setInputFiles(files);
    await page.getByRole("heading", { name: /in version 1/ }).waitFor({ timeout: WORK });
    await page.getByRole("cell", { name: /Adverse Events/ }).waitFor({ timeout: WORK });
    await accessible(page, "dataset");
    await shoot(page, "dataset");
    await link("Look at the rows").click();
    await page.getByRole("table").waitFor();
    await accessible(page, "rows of a dataset");
  });

  test("what is wrong with a file is named", async () => {
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

  test("what was found", async () => {
    await button("Analyse").click();
    await page.getByRole("heading", { name: "Visits" }).waitFor({ timeout: WORK });
    await accessible(page, "what was found");
    await link("Tables and variables").click();
    await page.getByText("computed").first().waitFor();
    await button("Correct AESEV").scrollIntoViewIfNeeded();
    await page.waitForTimeout(300); // scrolling closes menus
    await button("Correct AESEV").click();
    await page.getByRole("menuitem", { name: "It is free text" }).click();
    await page.getByText(/ae.AESEV: noted/).waitFor();
    await accessible(page, "variables");
    await shoot(page, "variables");
    await link("Relations").click();
    await page.getByRole("heading", { name: /Computed variables/ }).waitFor();
    await accessible(page, "relations");
    await shoot(page, "relations");
  });

  test("a run is configured, and stands there in other words", async () => {
    await link("Generate subjects").first().click();
    await page.getByLabel("Subjects", { exact: true }).fill("300");
    await page.getByLabel("Seed", { exact: true }).fill("7");
    await page.getByText("Report: source against synthetic").click();
    await page.getByLabel("Rules").fill("DM AGE >= 18");
    await page.getByText(/Line 1: write the table/).waitFor();
    await page.getByLabel("Rules").fill("DM: AGE >= 18");
    await button(/Count by/).click();
    await page.getByRole("option", { name: /^ARM/ }).first().click();
    await button(/Profile$/).click();
    await page.getByRole("option", { name: /^light/ }).click();
    await page.getByText("include: light").waitFor();
    await page.getByText("variable: ae.AESEV").waitFor();
    await button("Remove ae.AESEV: is of the kind text").click();
    await accessible(page, "generate");
    await shoot(page, "generate");
    await button(/Generate 300 subjects/).click();
    await page.getByRole("progressbar").first().waitFor();
    await shoot(page, "progress");
    await page.context().setOffline(true);
    await page.waitForTimeout(1_500);
    await page.context().setOffline(false);
  });

  test("progress over a lost connection, and the result", async () => {
    await link("Summary").waitFor({ timeout: WORK });
    await accessible(page, "result");
    await shoot(page, "result");
    await link("Look at the rows").first().click();
    await button(/Table$/).click();
    await page.getByRole("option", { name: /^lb/i }).click();
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
    await shoot(page, "rows");
    const region = page.getByRole("region", { name: /^Rows of/ });
    await region.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByRole("cell", { name: "ALT" }).last().waitFor();
    await page.reload();
    await page.getByText(/ of [\d,]+ rows/).waitFor();
  });

  test("checks", async () => {
    await link(/^Checks/).click();
    await page
      .getByRole("heading", { name: /By rule|Nothing found/ })
      .first()
      .waitFor();
    await accessible(page, "checks");
    await shoot(page, "checks");
  });

  test("downloads, as made and in another format", async () => {
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
    const target = join(downloads, download.suggestedFilename());
    await download.saveAs(target);
    expect(statSync(target).size).toBeGreaterThan(10_000);
  });

  test("the model goes out and comes back in, and makes subjects without the data", async () => {
    await link("Models").click();
    const [model] = await Promise.all([page.waitForEvent("download"), link(/^Export/).click()]);
    const target = join(downloads, "brought.json");
    await model.saveAs(target);
    await page.locator("input[type=file]").setInputFiles(target);
    await page.getByRole("heading", { name: /^brought/ }).waitFor();
    const row = page.getByRole("listitem").filter({ hasText: "brought" });
    await row.getByRole("link", { name: "Generate from it" }).click({ timeout: WORK });
    await page.getByText("Needs the data, which are not here.").waitFor();
    await page.getByLabel("Subjects", { exact: true }).fill("30");
    await page.keyboard.press("Tab");
    await page.getByText("model: Model-brought-version-1.json").waitFor();
    await accessible(page, "generate from a model");
    await button("Generate 30 subjects").click();
    await link("Summary").waitFor({ timeout: WORK });
    await link("Models").click();
    await accessible(page, "models");
    await shoot(page, "models");
  });

  test("a key for programs", async () => {
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

  test("a viewer looks, and is offered nothing else", async () => {
    await page.goto(`${projectUrl}/settings`);
    await page.getByRole("heading", { name: "Members", exact: true }).waitFor();
    await accessible(page, "members");
    const made = await page.evaluate(async (email) => {
      const token = document.cookie
        .split("; ")
        .find((part) => part.startsWith("datareplicator_csrf="))!
        .split("=")[1]!;
      const answer = await fetch("/api/users", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": decodeURIComponent(token) },
        body: JSON.stringify({ email, role: "viewer" }),
      });
      return ((await answer.json()) as { link: string }).link;
    }, VIEWER);
    await page.getByLabel("Email").fill(VIEWER);
    await button("Invite").click();
    const invitation = (await page.getByLabel("Link of the invitation").last().innerText()).trim();
    await shoot(page, "members");

    const other = await (await browser.newContext({ viewport: { width: 1280, height: 860 } })).newPage();
    other.setDefaultTimeout(20_000);
    await other.goto(made);
    await other.getByLabel("New password").fill(PASSWORD);
    await other.getByRole("button", { name: "Set the password" }).click();
    await other.getByRole("link", { name: "Sign in", exact: true }).click();
    await other.getByLabel("Email").fill(VIEWER);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByText("No project yet").waitFor();
    await other.goto(invitation);
    await other.getByRole("button", { name: "Join the project" }).click();
    await other.getByRole("heading", { name: "Study 301" }).waitFor();
    expect(await other.getByRole("link", { name: "Generate", exact: true }).count()).toBe(0);
    expect(await other.getByRole("link", { name: "Generate subjects" }).count()).toBe(0);
    await other.goto(`${projectUrl}/data`);
    await other.getByRole("heading", { name: "Datasets" }).waitFor();
    expect(await other.locator("input[type=file]").count()).toBe(0);
    await shoot(other, "viewer");

    await other.context().clearCookies();
    await other.goto(`${projectUrl}/runs`);
    await other.getByLabel("Email").fill(VIEWER);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    expect(other.url()).toBe(`${projectUrl}/runs`);
  });

  test("a session that ends in the middle leads back to where one was", async () => {
    await page.goto(`${projectUrl}/runs`);
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await page.context().clearCookies();
    await link("Members and settings").click();
    await page.getByText(/Your session has ended/).waitFor();
    await page.getByLabel("Email").fill(ADMIN);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Members and settings" }).waitFor();
  });

  test("administration: people, settings, tiers, logs, audit trail", async () => {
    await button(/^Your account/).click();
    await page.getByRole("menuitem", { name: "Administration" }).click();
    await page.getByRole("rowheader", { name: /vera/ }).waitFor();
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
    await link("Audit trail").click();
    await page.getByRole("rowheader", { name: "settings.changed" }).waitFor();
    await button("Check that it is whole").click();
    await page.getByText(/The trail is whole/).waitFor();
    await accessible(page, "audit trail");
    await shoot(page, "audit");
  });

  test(
    "the sample study in one click",
    async () => {
      await page.goto(service.url);
      await button("Try with the sample study").click();
      await page.getByRole("heading", { name: "Sample study" }).waitFor({ timeout: WORK });
      await accessible(page, "overview");
      await shoot(page, "overview");
      await link("Look and download").waitFor({ timeout: 3 * WORK });
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
    4 * WORK,
  );

  test("every page can be used by everyone, on every screen", () => {
    expect(breaches).toEqual([]);
  });

  test("no error in the browser's console on the way", () => {
    // Refused logins are answers of the service, and the line was cut on purpose: no errors of the page.
    expect(errors.filter((error) => !/401|422|status of 4|ERR_INTERNET_DISCONNECTED/.test(error))).toEqual([]);
  });
});
