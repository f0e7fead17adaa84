/** What the parts of the journey share: one service, one browser, one page that goes on where the last part stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type { Browser, Page } from "playwright-core";

import { chromiumPath, launch, type Service, startService } from "./browser";

export const SAMPLE = resolve(import.meta.dirname, "../../src/datareplicator/data/sample_study");
export const ADMIN = "ada@example.org";
export const VIEWER = "vera@example.org";
/** How long a job may take on a busy machine. */
export const WORK = 110_000;

export class Journey {
  service!: Service;
  browser!: Browser;
  page!: Page;
  /** Address of the project that the journey makes. */
  projectUrl = "";
  /** Another page of the same person, where the sample study is made. */
  aside!: Page;
  readonly errors: string[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), "datareplicator-ui-"));

  async begin() {
    [this.service, this.browser] = await Promise.all([startService(), launch(chromiumPath()!)]);
    this.page = await this.newPage();
  }

  /** A page of its own, as of another person. */
  async newPage(): Promise<Page> {
    // Colours that are still on their way from one theme to the other are neither's.
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 860 },
      acceptDownloads: true,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
    return page;
  }

  async end() {
    await this.browser?.close();
    await this.service?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  link = (name: string | RegExp) => this.page.getByRole("link", { name });
  button = (name: string | RegExp) => this.page.getByRole("button", { name });
  heading = (name: string | RegExp) => this.page.getByRole("heading", { name });

  /** Opens a list of choices by the name of its button and takes one. */
  async choose(list: string | RegExp, option: string | RegExp) {
    await this.button(list).first().click();
    await this.page
      .getByRole("option", { name: option, exact: typeof option === "string" })
      .first()
      .click();
  }
}
