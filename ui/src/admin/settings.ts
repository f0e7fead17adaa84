/** The settings as forms: which fields, of which kind, in which words. */

export type Kind = "switch" | "number" | "text" | "list" | "role" | "tier" | "format" | "standard";

export interface FieldOf {
  name: string;
  label: string;
  kind: Kind;
  help?: string;
  /** An empty number means: without limit. */
  maybe?: boolean;
  /** Numbers of the field are shown in this unit. */
  unit?: { name: string; size: number };
}

export interface Group {
  name: string;
  title: string;
  help: string;
  fields: FieldOf[];
}

const GB = { name: "GiB", size: 2 ** 30 };

export const GROUPS: Group[] = [
  {
    name: "access",
    title: "Who gets in",
    help: "What the environment of the service sets is fixed there.",
    fields: [
      { name: "allow_registration", label: "Anyone may register", kind: "switch" },
      {
        name: "allowed_domains",
        label: "Domains that may register in any case",
        kind: "list",
        help: "Such as example.org, with commas",
      },
      { name: "allowed_emails", label: "Email addresses that may register in any case", kind: "list" },
      { name: "password_login", label: "Login by email and password", kind: "switch" },
      { name: "social_login", label: "Login by Google, GitHub and other providers", kind: "switch" },
      { name: "default_role", label: "Role of those who register", kind: "role" },
      { name: "default_tier", label: "Tier of those who register", kind: "tier" },
    ],
  },
  {
    name: "defaults",
    title: "What runs start from",
    help: "People can choose otherwise in each run.",
    fields: [
      { name: "format", label: "Format", kind: "format" },
      { name: "standard", label: "Data standard of new projects", kind: "standard" },
      { name: "subjects", label: "Subjects", kind: "number" },
      { name: "validate_runs", label: "Check what was generated", kind: "switch" },
    ],
  },
  {
    name: "overall",
    title: "Limits of all together",
    help: "Empty: without limit.",
    fields: [
      { name: "subjects_per_day", label: "Subjects a day", kind: "number", maybe: true },
      { name: "rows_per_day", label: "Rows a day", kind: "number", maybe: true },
      { name: "concurrent_runs", label: "Jobs at a time", kind: "number", maybe: true },
      { name: "storage_bytes", label: "Storage", kind: "number", maybe: true, unit: GB },
    ],
  },
  {
    name: "cache",
    title: "Cache",
    help: "Profiles, models and results that were asked for before come from here.",
    fields: [
      { name: "enabled", label: "Use the cache", kind: "switch" },
      {
        name: "max_bytes",
        label: "Size at most",
        kind: "number",
        maybe: true,
        unit: GB,
        help: "The least used go first.",
      },
      { name: "lifetime_days", label: "Days until an entry goes", kind: "number", maybe: true },
    ],
  },
  {
    name: "retention",
    title: "How long things are kept",
    help: "Days; empty: until somebody deletes them.",
    fields: [
      { name: "runs_days", label: "Generated data", kind: "number", maybe: true },
      { name: "datasets_days", label: "Uploaded data", kind: "number", maybe: true },
      { name: "logs_days", label: "Logs", kind: "number", maybe: true },
    ],
  },
  {
    name: "cost",
    title: "Cost",
    help: "What computing costs, as logs tell it.",
    fields: [
      { name: "per_cpu_hour", label: "Price of an hour of one core", kind: "number" },
      { name: "currency", label: "Currency", kind: "text", help: "Three letters, such as EUR" },
    ],
  },
];

export const OF_TIERS: FieldOf[] = [
  { name: "subjects_per_run", label: "Subjects in one run", kind: "number", maybe: true },
  { name: "subjects_per_day", label: "Subjects a day", kind: "number", maybe: true },
  { name: "rows_per_day", label: "Rows a day", kind: "number", maybe: true },
  { name: "rows_per_second", label: "Rows a second", kind: "number", maybe: true },
  { name: "concurrent_runs", label: "Jobs at a time", kind: "number", maybe: true },
  { name: "batch_subjects", label: "Subjects in a batch", kind: "number" },
  { name: "requests_per_minute", label: "Requests a minute", kind: "number", maybe: true },
  { name: "requests_per_minute_of_key", label: "Requests a minute of a key", kind: "number", maybe: true },
  { name: "requests_per_day", label: "Requests a day", kind: "number", maybe: true },
  { name: "storage_bytes", label: "Storage", kind: "number", maybe: true, unit: GB },
  { name: "priority", label: "Priority", kind: "number", help: "Smaller goes first." },
];

export type Values = Record<string, unknown>;

/** What is to be sent: the fields that differ from what is there. */
export function changed(before: Values, now: Values): Values {
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}
