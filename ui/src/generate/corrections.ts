import { useQuery, useQueryClient } from "@tanstack/react-query";

/** What discovery found, set right; in the form of the run document. */
export type Correction = Record<string, string | string[]>;

const KINDS: [string, string][] = [
  ["category", "a category"],
  ["flag", "a flag"],
  ["integer", "a whole number"],
  ["decimal", "a number"],
  ["text", "free text"],
  ["date", "a date"],
  ["identifier", "an identifier"],
];
const PERSONAL: [string, string][] = [
  ["name", "a name"],
  ["initials", "initials"],
  ["address", "an address"],
  ["phone", "a telephone number"],
  ["email", "an email address"],
  ["mrn", "a record number"],
];

/** What can be said against what was found of a column. */
export function correctionsOf(
  variable: string,
  found: { kind: string; computed: "derivation" | "dependency" | null; pii: string | null },
): { text: string; correction: Correction }[] {
  const choices: { text: string; correction: Correction }[] = [];
  const add = (text: string, correction: Correction) => choices.push({ text, correction: { ...correction, variable } });
  if (found.computed) add("It is not computed", { deny: found.computed });
  if (found.pii) add("It is no personal data", { deny: "pii" });
  for (const [kind, words] of KINDS) if (kind !== found.kind) add(`It is ${words}`, { kind });
  if (!found.pii) for (const [pii, words] of PERSONAL) add(`It is personal data: ${words}`, { pii });
  add("Leave it empty", { ignore: "column" });
  return choices;
}

export const correctionText = (correction: Correction) => {
  const { variable, table, columns, ...rest } = correction;
  const [[verb, value] = ["", ""]] = Object.entries(rest);
  const words: Record<string, string> = {
    deny: `no ${value === "pii" ? "personal data" : String(value)}`,
    kind: `is of the kind ${String(value)}`,
    pii: `is personal data (${String(value)})`,
    ignore: "is left empty",
    keep: "is kept as it is",
    declare: `has a ${String(value)}`,
  };
  const key = Array.isArray(columns) ? `: ${columns.join(", ")}` : "";
  return `${String(variable ?? table ?? "")}: ${words[verb] ?? `${verb} ${String(value)}`}${key}`;
};

const place = (projectId: string) => `corrections:${projectId}`;

function stored(projectId: string): Correction[] {
  try {
    return JSON.parse(sessionStorage.getItem(place(projectId)) ?? "[]") as Correction[];
  } catch {
    return []; // No storage: the corrections last as long as the page.
  }
}

/** The corrections that the next run of this project takes along, until this window is closed. */
export function useCorrections(projectId: string) {
  const client = useQueryClient();
  const queryKey = ["corrections", projectId];
  const { data: corrections } = useQuery({
    queryKey,
    queryFn: () => stored(projectId),
    initialData: () => stored(projectId),
    staleTime: Infinity,
    gcTime: Infinity,
  });
  const set = (next: Correction[]) => {
    client.setQueryData(queryKey, next);
    try {
      sessionStorage.setItem(place(projectId), JSON.stringify(next));
    } catch {
      // See above.
    }
  };
  return {
    corrections,
    set,
    add: (one: Correction) => {
      const text = JSON.stringify(one);
      if (!corrections.some((each) => JSON.stringify(each) === text)) set([...corrections, one]);
    },
  };
}
