/** Numbers, sizes, times and dates as the reader's locale writes them. */

export const number = (value: number, digits = 0) => value.toLocaleString(undefined, { maximumFractionDigits: digits });

export const percent = (share: number) =>
  share.toLocaleString(undefined, { style: "percent", maximumFractionDigits: share > 0 && share < 0.01 ? 2 : 1 });

/** "1 row", "2,000 rows". */
export const count = (value: number, one: string, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${number(value, value < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
}

export function seconds(value: number): string {
  if (value < 1) return "less than a second";
  if (value < 90) return count(Math.round(value), "second");
  if (value < 5400) return count(Math.round(value / 60), "minute");
  return `${number(value / 3600, 1)} hours`;
}

export const moment = (iso: string) =>
  new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

export const day = (iso: string) => new Date(iso).toLocaleDateString(undefined, { dateStyle: "medium" });

export function ago(iso: string, now = Date.now()): string {
  const passed = (now - new Date(iso).getTime()) / 1000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (passed < 60) return "just now";
  if (passed < 3600) return words.format(-Math.round(passed / 60), "minute");
  if (passed < 86_400) return words.format(-Math.round(passed / 3600), "hour");
  if (passed < 30 * 86_400) return words.format(-Math.round(passed / 86_400), "day");
  return day(iso);
}

const WORDS: Record<string, string> = {
  read: "Reading the files",
  discover: "Finding structure: keys, formulas, relations",
  profile: "Describing variables",
  learn: "Learning distributions",
  fit: "Learning distributions",
  generate: "Generating subjects",
  check: "Checking the result",
  validate: "Checking the result",
  report: "Comparing with the source",
  write: "Writing files",
  corrupt: "Injecting faults",
  inspect: "Looking into the files",
  convert: "Converting",
};

/** The words for a step of a job. */
export const step = (name: string) => WORDS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
