import createClient, { type Middleware } from "openapi-fetch";

import { problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const WRITING = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const expired = new Set<() => void>();

/** Calls `listener` when the service no longer knows who asks. */
export function onExpired(listener: () => void): () => void {
  expired.add(listener);
  return () => expired.delete(listener);
}

export function csrfToken(cookies: string = document.cookie): string {
  const found = cookies.split("; ").find((part) => part.startsWith("datareplicator_csrf="));
  return found ? decodeURIComponent(found.slice("datareplicator_csrf=".length)) : "";
}

const session: Middleware = {
  onRequest({ request }) {
    if (WRITING.has(request.method)) request.headers.set("X-CSRF-Token", csrfToken());
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.startsWith("/api/auth/")) expired.forEach((listener) => listener());
  },
  onError() {
    return unreachable();
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, fetch: (request) => fetch(request) });
api.use(session);

/** The content of an answer; a Problem is thrown where it is not a success. */
export async function take<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw await problemOf(response, error === "" ? {} : error);
  return data as T;
}

/** A request outside the typed client, for bodies that it does not know (files, parts of files, pages). */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (WRITING.has(init.method ?? "GET")) headers.set("X-CSRF-Token", csrfToken());
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.status === 401) expired.forEach((listener) => listener());
  if (!response.ok) throw await problemOf(response);
  return response;
}
