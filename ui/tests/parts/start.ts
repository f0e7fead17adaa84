import { expect, test } from "vitest";

import { accessible, keyboard, PASSWORD, shoot } from "../browser";
import { ADMIN, type Journey } from "../journey";

/** The first start, the first login, the first project. */
export function start(j: Journey) {
  const { link, button, heading } = j;

  test("the first administrator, by the link of the log", async () => {
    const { page, service } = j;
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

  test("the keyboard is enough: what has the focus is seen, menus and dialogs give it back", async () => {
    const { page } = j;
    await keyboard(page, "projects");
    await button("New project").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByLabel("Name").waitFor();
    await page.keyboard.press("Escape");
    await button("New project").and(page.locator(":focus")).waitFor();
    await button(/^Your account/).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
    await page.getByRole("menuitem", { name: "API keys" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Escape");
    await button(/^Your account/)
      .and(page.locator(":focus"))
      .waitFor();
  });

  test("a project", async () => {
    const { page } = j;
    await button("New project").click();
    await page.getByLabel("Name").fill("Study 301");
    await page.getByLabel(/^Description/).fill("Dose finding, second part");
    await page.getByLabel(/^Target domains/).fill("dm ae, lb");
    await accessible(page, "new project");
    await shoot(page, "new-project");
    await button("Make the project").click();
    await page.getByRole("heading", { name: "Data", exact: true }).waitFor();
    j.projectUrl = page.url().replace(/\/data$/, "");
    await accessible(page, "no data yet");
    await shoot(page, "upload");
    await heading("Upload a study").waitFor();
  });
}
