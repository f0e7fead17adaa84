/** The request of a run as the form holds it, as the service takes it, and as other ways of asking for it. */

export interface Mix {
  variable: string;
  /** `numbers` are exact, `ratio` is shared out. */
  by: "ratio" | "numbers";
  values: Record<string, number>;
}

/** How a rare event is given: as so many times as many rows, or by the subjects that have one. */
export const AMOUNTS = ["times", "subjects", "exactly"] as const;
export type Amount = (typeof AMOUNTS)[number];

export interface Rare {
  domain: string;
  where: string;
  by: Amount;
  amount: number;
}

export interface Scenario {
  name: string;
  subjects: number;
  /** Values of its parameters, where others than its own are wanted. */
  with?: Record<string, unknown>;
}

export interface Request {
  subjects: number;
  seed: number;
  variation: number;
  stratified: boolean;
  format: string;
  report: boolean;
  mixes: Mix[];
  /** A line each: `DM: AGE >= 18`. */
  constraints: string;
  rare: Rare[];
  scenarios: Scenario[];
  /** A bundled profile of faults, or none. */
  faults: string;
  minSubjects: number;
  corrections: Record<string, string | string[]>[];
}

export const START: Request = {
  subjects: 1000,
  seed: 0,
  variation: 1,
  stratified: true,
  format: "same",
  report: true,
  mixes: [],
  constraints: "",
  rare: [],
  scenarios: [],
  faults: "",
  minSubjects: 1,
  corrections: [],
};

export type Document = Record<string, unknown>;

export interface ConstraintLine {
  domain: string;
  rule: string;
}

/** The lines of a text; a line without a table in front is told. */
export function parseConstraints(text: string): { found: ConstraintLine[]; wrong: string | null } {
  const found: ConstraintLine[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const parts = /^\s*([A-Za-z0-9_. -]+?)\s*:\s*(.+)$/.exec(line);
    if (!parts) return { found, wrong: `Line ${at + 1}: write the table, a colon and the rule, as in DM: AGE >= 18` };
    found.push({ domain: parts[1]!, rule: parts[2]!.trim() });
  }
  return { found, wrong: null };
}

/** The run document: only what differs from the defaults, so that it reads as what was asked for. */
export function documentOf(request: Request): Document {
  const document: Document = { subjects: request.subjects, seed: request.seed };
  if (request.variation !== START.variation) document["variation"] = request.variation;
  if (!request.stratified) document["stratified"] = false;
  if (request.format !== START.format) document["format"] = request.format;
  if (request.report) document["report"] = true;
  const counts: Record<string, unknown> = {};
  for (const mix of request.mixes) counts[mix.variable] = mix.by === "ratio" ? { ratio: mix.values } : mix.values;
  if (request.mixes.length) document["counts"] = counts;
  const { found } = parseConstraints(request.constraints);
  if (found.length) document["constraints"] = found;
  if (request.rare.length)
    document["rare_events"] = request.rare.map(({ domain, where, by, amount }) => ({ domain, where, [by]: amount }));
  if (request.scenarios.length) document["scenarios"] = request.scenarios;
  if (request.minSubjects > 1) document["privacy"] = { min_subjects: request.minSubjects };
  if (request.corrections.length) document["corrections"] = request.corrections;
  if (request.faults) document["faults"] = { include: request.faults };
  return document;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The form for a document, to run it again with changes. What the form has no field for is named, so that nobody
 * believes it to be asked for.
 */
export function requestOf(document: Document): { request: Request; left: string[] } {
  const request: Request = { ...START, mixes: [], rare: [], scenarios: [], report: false };
  const left: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    if (key === "subjects" && typeof value === "number") request.subjects = value;
    else if (key === "seed" && typeof value === "number") request.seed = value;
    else if (key === "variation" && typeof value === "number") request.variation = value;
    else if (key === "stratified" && typeof value === "boolean") request.stratified = value;
    else if (key === "format" && typeof value === "string") request.format = value;
    else if (key === "report" && typeof value === "boolean") request.report = value;
    else if (key === "counts" && isRecord(value) && !("combinations" in value))
      request.mixes = Object.entries(value).map(([variable, asked]) => {
        const ratio = isRecord(asked) && isRecord(asked["ratio"]) ? asked["ratio"] : null;
        return { variable, by: ratio ? "ratio" : "numbers", values: (ratio ?? asked) as Record<string, number> };
      });
    else if (key === "constraints" && Array.isArray(value))
      request.constraints = (value as ConstraintLine[]).map((each) => `${each.domain}: ${each.rule}`).join("\n");
    else if (key === "rare_events" && Array.isArray(value)) request.rare = value.map(rareOf);
    else if (key === "scenarios" && Array.isArray(value))
      request.scenarios = value.map(({ name, subjects, with: given }: Scenario) => ({
        name,
        subjects,
        ...(given && Object.keys(given).length ? { with: given } : {}),
      }));
    else if (key === "privacy" && isRecord(value) && typeof value["min_subjects"] === "number")
      request.minSubjects = value["min_subjects"];
    else if (key === "corrections" && Array.isArray(value)) request.corrections = value.map(said);
    else if (key === "faults" && value === null) request.faults = "";
    else if (
      key === "faults" &&
      isRecord(value) &&
      named(value["include"]) &&
      !(value["faults"] as unknown[] | undefined)?.length
    )
      request.faults = named(value["include"])!;
    else if (!isEmpty(value)) left.push(key);
  }
  return { request, left };
}

function rareOf(event: { domain: string; where: string } & Partial<Record<Amount, number | null>>): Rare {
  const by = AMOUNTS.find((each) => event[each] != null) ?? "times";
  return { domain: event.domain, where: event.where, by, amount: event[by] ?? 1 };
}

/** A correction as it was asked for: what is not given has been filled in with nothing. */
const said = (correction: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(correction).filter(([, value]) => value !== null && value !== 0)) as Record<
    string,
    string | string[]
  >;

const named = (include: unknown): string | null => {
  if (typeof include === "string") return include;
  return Array.isArray(include) && include.length === 1 && typeof include[0] === "string" ? include[0] : null;
};

const isEmpty = (value: unknown) =>
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.keys(value).length === 0);

type Kind = "dataset" | "model";

/** What a source would be called as files: a folder of data, or a model document. */
export const pathOf = ({ name, kind }: { name: string; kind: Kind }) =>
  name.replaceAll(/[^\w-]+/g, "-") + (kind === "model" ? ".json" : "/");

/** Text in a shell: quoted where it must be. */
export const shellWord = (text: string) =>
  /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const INLINE = new Set(["subjects", "seed", "variation", "stratified", "format", "report", "privacy", "faults"]);

/** The same by command line: by options where there are some for everything, else by a run document. */
export function commandOf(document: Document, source: string, kind: Kind = "dataset"): string {
  const parts = [kind === "model" ? "datareplicator generate" : "datareplicator replicate", shellWord(source)];
  const inline = Object.keys(document).every((key) => INLINE.has(key));
  if (!inline) return `${parts.join(" ")} --config run.yaml -o out/`;
  parts.push(`-n ${String(document["subjects"])}`, `--seed ${String(document["seed"])}`);
  if (document["variation"] !== undefined) parts.push(`--variation ${String(document["variation"])}`);
  if (document["stratified"] === false) parts.push("--no-stratified");
  if (document["format"]) parts.push(`--format ${String(document["format"])}`);
  if (document["report"]) parts.push("--report");
  const privacy = document["privacy"] as { min_subjects: number } | undefined;
  if (privacy) parts.push(`--min-subjects ${privacy.min_subjects}`);
  const faults = document["faults"] as { include: string } | undefined;
  if (faults) parts.push(`--faults ${shellWord(faults.include)}`);
  return [...parts, "-o out/"].join(" ");
}

/** A value as Python writes it. */
export function python(value: unknown): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (isRecord(value))
    return `{${Object.entries(value)
      .map(([key, each]) => `${JSON.stringify(key)}: ${python(each)}`)
      .join(", ")}}`;
  return String(value);
}

/** The same against this service from a program, with an API key. */
export function apiCallOf(
  document: Document,
  origin: string,
  projectId: string,
  source: { kind: Kind; id: string },
): string {
  return `import httpx

answer = httpx.post(
    "${origin}/api/projects/${projectId}/runs",
    headers={"Authorization": "Bearer dr_..."},  # an API key of yours
    json={
        "${source.kind}_id": "${source.id}",
        "document": ${python(document)},
    },
)
print(answer.json()["id"])
`;
}

/** The same with the library. */
export function libraryCallOf(document: Document, source: string, kind: Kind = "dataset"): string {
  const { format, report, faults, privacy, corrections, ...asked } = document;
  const least = (privacy as { min_subjects: number } | undefined)?.min_subjects;
  const learned = [
    `study = dr.read_study(${python(source)})`,
    `model = dr.fit(study${least ? `, min_subjects=${least}` : ""}${corrections ? `, corrections=${python(corrections)}` : ""})`,
  ];
  const lines = [
    "import datareplicator as dr",
    "",
    ...(kind === "model" ? [`model = dr.load_model(${python(source)})`] : learned),
    `synthetic = model.generate(`,
    ...Object.entries(asked).map(([key, value]) => `    ${key}=${python(value)},`),
    ")",
  ];
  let result = "synthetic";
  if (faults) {
    lines.push(
      `dirty, answers = dr.corrupt(synthetic, ${python((faults as { include: string }).include)}, seed=${python(document["seed"])})`,
    );
    result = "dirty";
  }
  lines.push(`${result}.write("out/"${format ? `, format=${python(format)}` : ""})`);
  if (report && kind === "dataset") lines.push('dr.compare(study, synthetic).to_html("report.html")');
  return `${lines.join("\n")}\n`;
}
