import type { Schemas } from "@/api/client";

export type Kind = Schemas["TargetOut"]["kind"];

export interface OptionField {
  name: string;
  label: string;
  start: string | number;
  choices?: { value: string; text: string }[];
  help?: string;
  optional?: boolean;
}

/** Fields that kinds of targets share. */
const address = (label: string, help?: string): OptionField => ({
  name: "url",
  label,
  start: "https://",
  ...(help === undefined ? {} : { help }),
});
const server = (port: number): OptionField[] => [
  { name: "host", label: "Host", start: "" },
  { name: "port", label: "Port", start: port },
];
const USER: OptionField = { name: "user", label: "User", start: "" };
const batch = (rows: number): OptionField => ({ name: "batch_rows", label: "Rows in a batch", start: rows });
const choice = (name: string, label: string, choices: [string, string][]): OptionField => ({
  name,
  label,
  start: choices[0]![0],
  choices: choices.map(([value, text]) => ({ value, text })),
});

interface KindOf {
  text: string;
  help: string;
  secret: string;
  fields: OptionField[];
}

/** The kinds of targets: what each is asked for, and what its secret is. */
export const KINDS: Record<Kind, KindOf> = {
  http: {
    text: "HTTP endpoint",
    help: "Takes files, or rows as JSON",
    secret: "Secret, as it stands in the header, such as Bearer abc",
    fields: [
      address("Address", "It gets POST requests."),
      choice("form", "What is sent", [
        ["json", "Rows as JSON"],
        ["ndjson", "Rows as NDJSON"],
        ["files", "Files as they are"],
      ]),
      batch(1000),
      { name: "auth_header", label: "Header of the secret", start: "Authorization" },
    ],
  },
  s3: {
    text: "S3 storage",
    help: "The files are put into a bucket",
    secret: "Secret access key",
    fields: [
      { name: "endpoint", label: "Endpoint", start: "https://s3.eu-central-1.amazonaws.com" },
      { name: "bucket", label: "Bucket", start: "" },
      { name: "prefix", label: "Folder in the bucket", start: "", optional: true },
      { name: "region", label: "Region", start: "us-east-1" },
      { name: "access_key_id", label: "Access key ID", start: "" },
    ],
  },
  postgresql: {
    text: "PostgreSQL database",
    help: "Each table becomes a table there",
    secret: "Password",
    fields: [
      ...server(5432),
      { name: "database", label: "Database", start: "" },
      USER,
      { name: "db_schema", label: "Schema", start: "public", help: "It must be there." },
      choice("mode", "Tables that are there", [
        ["replace", "are replaced"],
        ["append", "get the rows added"],
      ]),
      choice("encryption", "Encryption", [
        ["verified", "TLS, certificate checked"],
        ["unverified", "TLS, any certificate"],
        ["none", "None"],
      ]),
    ],
  },
  redcap: {
    text: "REDCap project",
    help: "Records by its API",
    secret: "API token",
    fields: [
      address("Address of the API"),
      { name: "record_column", label: "Column that names the record", start: "USUBJID" },
      { name: "record_field", label: "Field of the record's name", start: "record_id" },
      batch(500),
    ],
  },
  sftp: {
    text: "SFTP server",
    help: "The files are put into a folder",
    secret: "Password",
    fields: [
      ...server(22),
      USER,
      { name: "host_key", label: "Public key of the server", start: "", help: "Such as ssh-ed25519 AAAA..." },
      { name: "folder", label: "Folder", start: ".", help: "It must be there." },
    ],
  },
  odm: {
    text: "EDC by ODM-XML",
    help: "Rave Web Services' form",
    secret: "Password",
    fields: [
      address("Address of the web services"),
      USER,
      { name: "study_oid", label: "Study OID", start: "", help: "Such as Mediflex(UAT)" },
      { name: "metadata_version", label: "Version of the metadata", start: "1" },
      { name: "subject_column", label: "Column that names the subject", start: "USUBJID" },
      { name: "site_column", label: "Column that names the site", start: "SITEID", optional: true },
      { name: "event_column", label: "Column that names the study event", start: "VISIT", optional: true },
      { name: "event_oid", label: "Study event of other rows", start: "SUBJECT" },
      batch(200),
    ],
  },
};

export const startOf = (kind: Kind): Record<string, string | number> =>
  Object.fromEntries(KINDS[kind].fields.map((field) => [field.name, field.start]));

/** Where a target is, in a line. */
export function placeOf({ kind, options }: Schemas["TargetOut"]): string {
  const told = options as unknown as Record<string, string | number>;
  if (kind === "s3") return `${told.endpoint}/${told.bucket}/${told.prefix}`;
  if (kind === "postgresql") return `${told.user}@${told.host}:${told.port}/${told.database}, schema ${told.db_schema}`;
  if (kind === "sftp") return `${told.user}@${told.host}:${told.port}, ${told.folder}`;
  return String(told.url);
}
