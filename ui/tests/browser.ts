/** A real service on a port of its own and a real browser, for tests. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { type Browser, chromium, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "..", "..");
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const SHOTS = resolve(import.meta.dirname, "..", "screenshots");
export const PASSWORD = "violet anchor tundra 93";

/** Where a browser is; null where there is none. */
export function chromiumPath(): string | null {
  for (const place of PLACES) {
    if (!place) continue;
    try {
      accessSync(place, constants.X_OK);
      return place;
    } catch {
      continue;
    }
  }
  return null;
}

export const launch = (path: string): Promise<Browser> => chromium.launch({ executablePath: path, args: FLAGS });

const freePort = () =>
  new Promise<number>((found) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address ? address.port : 0));
    });
  });

export interface Service {
  url: string;
  /** Path of the page that makes the first administrator, with its token. */
  setup: string;
  stop: () => Promise<void>;
  log: () => string;
}

/** The service as `datareplicator serve` starts it, on a fresh folder. */
export async function startService(): Promise<Service> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "datareplicator-ui-"));
  const child = spawn(
    join(ROOT, ".venv", "bin", "datareplicator"),
    ["serve", "--port", String(port), "--data-dir", join(folder, "data")],
    {
      cwd: folder,
      env: {
        ...process.env,
        DATAREPLICATOR_ENVIRONMENT: "development",
        DATAREPLICATOR_WORKER_NICE: "0", // the journey waits for the work, and whatever else is at work here does not
        OMP_NUM_THREADS: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise<void>((done) => child.on("exit", () => done()));
  const until = Date.now() + 50_000;
  for (;;) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`the service did not start:\n${output}`);
    try {
      if ((await fetch(`${url}/readyz`)).ok) break;
    } catch {
      // Not there yet.
    }
    await new Promise((again) => setTimeout(again, 250));
  }
  return {
    url,
    setup: /\/setup#token=\S+/.exec(output)?.[0] ?? "",
    log: () => output,
    stop: async () => {
      child.kill("SIGTERM");
      const killed = setTimeout(() => child.kill("SIGKILL"), 8_000);
      await ended;
      clearTimeout(killed);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Pages at the two ends of widths, light and dark, for people to look at. */
export async function shoot(page: Page, name: string, all = false) {
  mkdirSync(SHOTS, { recursive: true });
  const size = page.viewportSize();
  const forms: [number, "light" | "dark"][] =
    all || process.env.SCREENSHOTS
      ? [
          [1280, "light"],
          [360, "light"],
          [1280, "dark"],
          [360, "dark"],
        ]
      : [[1280, "light"]];
  for (const [width, scheme] of forms) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: width < 500 ? 780 : 860 });
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(SHOTS, `${name}-${width}-${scheme}.png`) });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) breaches.push(`${name} is ${wide} pixels wider than a screen of ${width}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  if (size) await page.setViewportSize(size);
}

const axe = readFileSync(join(ROOT, "ui", "node_modules", "axe-core", "axe.min.js"), "utf8");

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; html: string; failureSummary: string }[];
}

/** What pages break of the rules of WCAG 2.2 AA that a program can check, and pages that do not fit a screen. */
export const breaches: string[] = [];

/** Looks at a page in light and in dark; what is wrong is collected in `breaches`, so that all of it is told at once. */
export async function accessible(page: Page, name: string) {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(150);
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
    // What does not depend on colours is looked at once.
    const rules = scheme === "light" ? { runOnly: TAGS } : { runOnly: ["color-contrast", "link-in-text-block"] };
    const found = await page.evaluate(async (options) => {
      const run = (
        window as unknown as {
          axe: { run: (context: Document, options: object) => Promise<{ violations: Violation[] }> };
        }
      ).axe;
      return (await run.run(document, options)).violations;
    }, rules);
    const said = found.map(
      (rule) =>
        `${name}, ${scheme}: ${rule.id}: ${rule.help}\n${rule.nodes
          .slice(0, 4)
          .map(
            (node) =>
              `  ${node.target.join(" ")}  ${node.html.slice(0, 160)}\n  ${node.failureSummary.replaceAll("\n", " ")}`,
          )
          .join("\n")}`,
    );
    breaches.push(...said);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

const STOPS = 45;

/**
 * Walks through a page by the tabulator, from its beginning: each stop must be seen on the screen, not under something
 * else (WCAG 2.4.11), and marked as having the focus (2.4.7). The first leads past the head of the page.
 */
export async function keyboard(page: Page, name: string) {
  await page.evaluate(() => {
    // To have lost the focus is not enough: the walk would begin where it was.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    window.scrollTo(0, 0);
  });
  const stops: string[] = [];
  for (let at = 0; at < STOPS; at += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(async () => {
      for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame); // what left is gone then
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return null;
      const marked = (one: Element) => {
        const style = getComputedStyle(one);
        return (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none";
      };
      // Native boxes of a choice are hidden; what stands for them shows the focus.
      const shown = [element, ...(element.closest("label")?.querySelectorAll("*") ?? [])];
      const box = (element.closest("label") ?? element).getBoundingClientRect();
      const top = document.elementFromPoint(
        Math.min(innerWidth - 1, Math.max(0, box.left + Math.min(box.width / 2, 20))),
        Math.min(innerHeight - 1, Math.max(0, box.top + Math.min(box.height / 2, 20))),
      );
      const holder = element.closest("label") ?? element;
      return {
        says: `${element.tagName} ${(element.getAttribute("aria-label") ?? element.innerText ?? "").slice(0, 40)}`,
        marked: shown.some(marked),
        seen: top !== null && (holder.contains(top) || top.contains(holder)),
      };
    });
    if (stop === null) break;
    stops.push(stop.says);
    if (!stop.marked) breaches.push(`${name}: the focus is not marked at ${stop.says}`);
    if (!stop.seen) breaches.push(`${name}: the focus is hidden at ${stop.says}`);
  }
  if (!/To the content/.test(stops[0] ?? "")) breaches.push(`${name}: the first stop is ${stops[0]}`);
  if (stops.length < 5) breaches.push(`${name}: only ${stops.length} stops by the tabulator`);
}

interface Figures {
  page: string;
  /** Milliseconds until something is painted, until the largest part is, and during which nothing could be pressed. */
  first: number;
  largest: number;
  blocked: number;
  /** Bytes over the line, packed, and requests. */
  bytes: number;
  requests: number;
}

/** Loads pages without a cache, as on a first visit, and prints what it took. */
export async function printFigures(page: Page, addresses: string[]): Promise<Figures[]> {
  const found: Figures[] = [];
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Network.enable");
  await protocol.send("Network.setCacheDisabled", { cacheDisabled: true });
  for (const address of addresses) {
    await page.goto(address);
    await page.getByRole("heading").first().waitFor();
    const figures = await page.evaluate(
      () =>
        new Promise<Omit<Figures, "page">>((done) => {
          let largest = 0;
          let blocked = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) largest = entry.startTime;
          }).observe({ type: "largest-contentful-paint", buffered: true });
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) blocked += Math.max(0, entry.duration - 50);
          }).observe({ type: "longtask", buffered: true });
          setTimeout(() => {
            const all = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
            const own = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
            done({
              first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
              largest,
              blocked,
              bytes: [...own, ...all].reduce((sum, each) => sum + each.transferSize, 0),
              requests: all.length + 1,
            });
          }, 300);
        }),
    );
    found.push({ page: new URL(address).pathname.replace(/[0-9a-f-]{36}/, "…"), ...figures });
  }
  await protocol.send("Network.setCacheDisabled", { cacheDisabled: false });
  for (const each of found)
    console.log(
      `${each.page}: first paint ${Math.round(each.first)} ms, largest ${Math.round(each.largest)} ms, ` +
        `blocked ${Math.round(each.blocked)} ms, ${Math.round(each.bytes / 1000)} kB in ${each.requests} requests`,
    );
  return found;
}
