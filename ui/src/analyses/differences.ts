import type { Explanation } from "@/queries";

/** What differs between two explanations of the same study, in words. */
export function differences(before: Explanation, after: Explanation): string[] {
  const found: string[] = [];
  const computed = (each: Explanation) =>
    new Map(
      [...each.derivations, ...each.dependencies].map((one) => [
        `${one.table}.${one.variable}`,
        one.said.replace(`${one.variable}: `, ""),
      ]),
    );
  const [old, now] = [computed(before), computed(after)];
  for (const [name, said] of old) {
    if (!now.has(name)) found.push(`${name} is no longer computed, but drawn`);
    else if (now.get(name) !== said) found.push(`${name} is computed otherwise: ${now.get(name)}`);
  }
  for (const [name, said] of now) if (!old.has(name)) found.push(`${name} is computed now: ${said}`);
  for (const table of after.tables) {
    const earlier = before.tables.find((each) => each.name === table.name);
    if (!earlier) continue;
    if (earlier.key.join() !== table.key.join())
      found.push(`A row of ${table.name} is told apart by ${table.key.join(", ") || "nothing"}`);
    for (const [column, kind] of Object.entries(table.columns))
      if (earlier.columns[column] !== undefined && earlier.columns[column] !== kind)
        found.push(`${table.name}.${column} is ${kind}, no longer ${earlier.columns[column]}`);
  }
  for (const list of ["references", "links", "orders"] as const) {
    for (const said of before[list]) if (!after[list].includes(said)) found.push(`No longer: ${said}`);
    for (const said of after[list]) if (!before[list].includes(said)) found.push(`New: ${said}`);
  }
  for (const [name, kind] of Object.entries(after.pii))
    if (before.pii[name] !== kind) found.push(`${name} is personal data (${kind}) and replaced`);
  for (const name of Object.keys(before.pii)) if (!after.pii[name]) found.push(`${name} is no personal data any more`);
  return found;
}
