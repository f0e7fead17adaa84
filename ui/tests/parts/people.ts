import { expect, test } from "vitest";

import { accessible, PASSWORD, shoot } from "../browser";
import { ADMIN, type Journey, VIEWER, WORK } from "../journey";

/** Two people, one of whom may only look; logins that end. */
export function people(j: Journey) {
  const { link, button } = j;

  test("a viewer looks, and is offered nothing else", async () => {
    const { page } = j;
    await page.goto(`${j.projectUrl}/settings`);
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

    const other = await j.newPage();
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
    await other.goto(`${j.projectUrl}/data`);
    await other.getByRole("heading", { name: "Datasets" }).waitFor();
    expect(await other.locator("input[type=file]").count()).toBe(0);
    await shoot(other, "viewer");

    await other.context().clearCookies();
    await other.goto(`${j.projectUrl}/runs`);
    await other.getByLabel("Email").fill(VIEWER);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    expect(other.url()).toBe(`${j.projectUrl}/runs`);

    await other.goto(`${j.service.url}/account`);
    await other.getByRole("button", { name: "Delete my account" }).click();
    await other.getByLabel(/Your email address/).fill(VIEWER);
    await other.getByLabel("Your password").fill(PASSWORD);
    await accessible(other, "deleting an account");
    await shoot(other, "delete-account");
    await other.getByRole("button", { name: "Delete my account for good" }).click();
    await other.waitForURL(/\/login/);
    await other.getByLabel("Email").fill(VIEWER);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByRole("alert").waitFor();
    await other.context().close();
  });

  test("a session that ends in the middle leads back to where one was", async () => {
    const { page, aside } = j;
    // The sample study is made from a tab of the same session: it needs it until then.
    await aside.getByRole("heading", { name: "Sample study" }).waitFor({ timeout: WORK });
    await page.goto(`${j.projectUrl}/runs`);
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await page.context().clearCookies();
    await link("Members and settings").click();
    await page.getByText(/Your session has ended/).waitFor();
    await page.getByLabel("Email").fill(ADMIN);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Members and settings" }).waitFor();
  });
}
