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

/** A number that may be left empty: then there is no limit. */
const limit = (name: string, label: string, more: Partial<FieldOf> = {}): FieldOf => ({
  name,
  label,
  kind: "number",
  maybe: true,
  ...more,
});
const toggle = (name: string, label: string): FieldOf => ({ name, label, kind: "switch" });

export const GROUPS: Group[] = [
  {
    name: "access",
    title: "Who gets in",
    help: "What the environment of the service sets is fixed there.",
    fields: [
      toggle("allow_registration", "Anyone may register"),
      {
        name: "allowed_domains",
        label: "Domains that may register in any case",
        kind: "list",
        help: "Such as example.org, with commas",
      },
      { name: "allowed_emails", label: "Email addresses that may register in any case", kind: "list" },
      toggle("password_login", "Login by email and password"),
      toggle("social_login", "Login by Google, GitHub and other providers"),
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
      toggle("validate_runs", "Check what was generated"),
    ],
  },
  {
    name: "overall",
    title: "Limits of all together",
    help: "Empty: without limit.",
    fields: [
      limit("subjects_per_day", "Subjects a day"),
      limit("rows_per_day", "Rows a day"),
      limit("concurrent_runs", "Jobs at a time"),
      limit("storage_bytes", "Storage", { unit: GB }),
    ],
  },
  {
    name: "cache",
    title: "Cache",
    help: "Profiles, models and results that were asked for before come from here.",
    fields: [
      toggle("enabled", "Use the cache"),
      limit("max_bytes", "Size at most", { unit: GB, help: "The least used go first." }),
      limit("lifetime_days", "Days until an entry goes"),
    ],
  },
  {
    name: "retention",
    title: "How long things are kept",
    help: "Days; empty: until somebody deletes them.",
    fields: [limit("runs_days", "Generated data"), limit("datasets_days", "Uploaded data"), limit("logs_days", "Logs")],
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
  limit("subjects_per_run", "Subjects in one run"),
  limit("subjects_per_day", "Subjects a day"),
  limit("rows_per_day", "Rows a day"),
  limit("rows_per_second", "Rows a second"),
  limit("concurrent_runs", "Jobs at a time"),
  { name: "batch_subjects", label: "Subjects in a batch", kind: "number" },
  limit("requests_per_minute", "Requests a minute"),
  limit("requests_per_minute_of_key", "Requests a minute of a key"),
  limit("requests_per_day", "Requests a day"),
  limit("storage_bytes", "Storage", { unit: GB }),
  { name: "priority", label: "Priority", kind: "number", help: "Smaller goes first." },
];

export type Values = Record<string, unknown>;

/** What is to be sent: the fields that differ from what is there. */
export function changed(before: Values, now: Values): Values {
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}
