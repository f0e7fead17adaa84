import type { components } from "./schema";

export type ProblemDetail = components["schemas"]["ProblemDetail"];

export interface Place {
  file?: string | null;
  table?: string | null;
  column?: string | null;
  row?: number | null;
}

/** An error as the service told it (RFC 9457), or as close to that as a broken connection allows. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly hint: string | null;
  readonly place: Place | null;
  readonly retryAfter: number | null;
  readonly fields: { place: string; message: string }[];

  constructor(body: Partial<ProblemDetail>, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? "Something went wrong.");
    this.status = body.status ?? 0;
    this.title = body.title ?? "Error";
    this.code = body.code ?? "error";
    this.hint = body.hint ?? null;
    this.place = (body as { place?: Place }).place ?? null;
    this.retryAfter = retryAfter;
    this.fields = body.errors ?? [];
  }

  /** What the service says of one field of the form that was sent. */
  of(field: string): string | undefined {
    return this.fields.find((error) => error.place === `body.${field}`)?.message;
  }
}

export function unreachable(): Problem {
  return new Problem({
    status: 0,
    title: "No connection",
    detail: "The service does not answer.",
    code: "unreachable",
    hint: "Check the connection, then try again. Nothing of what you did here is lost.",
  });
}

/** The problem in an answer that was not a success. */
export async function problemOf(response: Response, body?: unknown): Promise<Problem> {
  let content = body;
  if (content === undefined) {
    try {
      content = await response.json();
    } catch {
      content = {};
    }
  }
  const told = typeof content === "object" && content !== null ? (content as Partial<ProblemDetail>) : {};
  const wait = Number(response.headers.get("Retry-After"));
  return new Problem(
    {
      title: response.statusText,
      detail: `The service answered ${response.status}.`,
      ...told,
      status: response.status,
    },
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

/** Why a job failed, as its record says it: a message of the library, or the name of a defect. */
export function problemOfJob(error: Record<string, unknown> | null | undefined): Problem {
  if (!error) return new Problem({ detail: "The job failed." });
  const { code, message, hint, place } = error as { code?: string; message?: string; hint?: string; place?: Place };
  const said = message ?? "The job failed.";
  const words =
    code === "internal"
      ? {
          detail: `The work broke off by a defect of the service (${said.replace(/\.$/, "")}).`,
          hint: "Try again with other settings. The logs of the service say more: ask its administrator.",
        }
      : { detail: said.charAt(0).toUpperCase() + said.slice(1), hint: hint ?? null };
  return new Problem({ ...words, code: code ?? "error", ...(place ? { place } : {}) } as Partial<ProblemDetail>);
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return unreachable();
  return new Problem({ title: "Error", detail: error instanceof Error ? error.message : String(error) });
}

export function placeText(place: Place | null | undefined): string {
  if (!place) return "";
  const parts = [
    place.file && `file ${place.file}`,
    place.table && place.table !== place.file && `table ${place.table}`,
    place.column && `column ${place.column}`,
    place.row != null && `row ${place.row.toLocaleString()}`,
  ];
  return parts.filter(Boolean).join(", ");
}
