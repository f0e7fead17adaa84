import { number } from "@/format";

/** A part of a request as people read it. */
export function words(value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value)) return value.map(words).join("; ") || "none";
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, each]) => `${name}: ${words(each)}`)
      .join(", ");
  return typeof value === "number"
    ? number(value, 10)
    : value === true
      ? "yes"
      : value === false
        ? "no"
        : String(value);
}
