/** What pages ask the service for, with the names under which answers are kept. */
import { queryOptions } from "@tanstack/react-query";

import { api, take } from "./api/client";

export const me = () =>
  queryOptions({ queryKey: ["me"], queryFn: () => take(api.GET("/api/auth/me")), staleTime: 300_000, retry: false });

export const methods = () =>
  queryOptions({ queryKey: ["methods"], queryFn: () => take(api.GET("/api/auth/methods")), staleTime: 60_000 });

export const projects = (search: string, archived: boolean) =>
  queryOptions({
    queryKey: ["projects", { search, archived }],
    queryFn: () => take(api.GET("/api/projects", { params: { query: { search, archived, limit: 200 } } })),
  });

export const project = (project_id: string) =>
  queryOptions({
    queryKey: ["project", project_id],
    queryFn: () => take(api.GET("/api/projects/{project_id}", { params: { path: { project_id } } })),
  });

export const datasets = (project_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "datasets"],
    queryFn: () =>
      take(api.GET("/api/projects/{project_id}/datasets", { params: { path: { project_id }, query: { limit: 200 } } })),
  });

export const dataset = (project_id: string, dataset_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "datasets", dataset_id],
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/datasets/{dataset_id}", { params: { path: { project_id, dataset_id } } }),
      ),
  });

export const analyses = (project_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "analyses"],
    queryFn: () =>
      take(api.GET("/api/projects/{project_id}/analyses", { params: { path: { project_id }, query: { limit: 200 } } })),
  });

export const analysis = (project_id: string, analysis_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "analyses", analysis_id],
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/analyses/{analysis_id}", { params: { path: { project_id, analysis_id } } }),
      ),
  });

export interface Category {
  value: string;
  rows: number;
  subjects: number;
}

export interface ColumnProfile {
  name: string;
  label: string;
  kind: string;
  type: string;
  missing: number;
  distinct: number;
  computed: string | null;
  pii: string | null;
  quantiles: (number | string)[] | null;
  categories: Category[] | null;
  lengths: [number, number, number] | null;
}

export interface TableProfile {
  name: string;
  label: string;
  layout: string;
  rows: number;
  subjects: number;
  key: string[];
  members: string[];
  tests: number | null;
  columns: ColumnProfile[];
}

export interface Share {
  value: string;
  subjects: number;
}

/** The document of an analysis (`datareplicator profile --json`). */
export interface Profile {
  name: string;
  standard: string | null;
  subjects: number;
  subject_key: string | null;
  root: string | null;
  reference_start: string | null;
  rows: number;
  tables: TableProfile[];
  visits: { visit: string; label: string; subjects: number; days: [number, number, number] | null }[];
  arm: string | null;
  arms: Share[];
  site: string | null;
  sites: Share[];
  references: string[];
  links: string[];
  orders: string[];
  pii: string[];
  notes: string[];
}

/** What rules and counts are made of: a profile of the data, or what a model without them knows. */
export interface Known {
  root: string | null;
  arm: string | null;
  arms: { value: string }[];
  site: string | null;
  sites: { value: string }[];
  tables: {
    name: string;
    label: string;
    layout: string;
    columns: (Pick<ColumnProfile, "name" | "label" | "kind" | "type" | "computed"> & {
      categories: { value: string }[] | null;
      quantiles?: ColumnProfile["quantiles"];
      reach?: [number, number] | null;
    })[];
  }[];
}

export interface Computed {
  table: string;
  variable: string;
  template: string;
  by: string[];
  said: string;
  rows: number;
  exceptions: number;
}

export interface Explanation {
  tables: { name: string; key: string[]; columns: Record<string, string> }[];
  pii: Record<string, string>;
  derivations: Computed[];
  dependencies: Computed[];
  references: string[];
  links: string[];
  orders: string[];
  supplements: string[];
  not_learned: string[];
}

export const profile = (project_id: string, analysis_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "profile", analysis_id],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/analyses/{analysis_id}/profile", {
          params: { path: { project_id, analysis_id } },
        }),
      )) as unknown as Profile,
  });

export const explanation = (project_id: string, analysis_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "explanation", analysis_id],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/analyses/{analysis_id}/explanation", {
          params: { path: { project_id, analysis_id } },
        }),
      )) as unknown as Explanation,
  });

export interface Course {
  table: string;
  test: string;
  label: string;
  visits: string[];
  n: number[][];
  low: (number | null)[][];
  middle: (number | null)[][];
  high: (number | null)[][];
}

export interface EventsByArm {
  table: string;
  label: string;
  rows: (number | null)[];
  any: (number | null)[];
  terms: { term: string; shares: (number | null)[] }[];
}

/** Which columns of a table say when something was, and what. */
export interface Roles {
  table: string;
  label: string;
  layout: string;
  subject: string;
  date: string | null;
  start: string | null;
  end: string | null;
  what: string | null;
  value: string | null;
  visit: string | null;
}

export interface Patterns {
  roles: Roles[];
  arms: string[];
  subjects: number[];
  courses: Course[];
  events: EventsByArm[];
  correlations: { names: string[]; values: (number | null)[][] } | null;
}

export const patterns = (project_id: string, analysis_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "patterns", analysis_id],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/analyses/{analysis_id}/patterns", {
          params: { path: { project_id, analysis_id } },
        }),
      )) as unknown as Patterns,
  });

export const runs = (project_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "runs"],
    queryFn: () =>
      take(api.GET("/api/projects/{project_id}/runs", { params: { path: { project_id }, query: { limit: 200 } } })),
  });

export const run = (project_id: string, run_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "runs", run_id],
    queryFn: () =>
      take(api.GET("/api/projects/{project_id}/runs/{run_id}", { params: { path: { project_id, run_id } } })),
  });

/** What a model knows of its tables. */
export type Vocabulary = Known & Pick<Profile, "subject_key" | "reference_start"> & { roles: Roles[] };

export const vocabulary = (project_id: string, model_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "models", model_id, "vocabulary"],
    staleTime: Infinity,
    retry: false,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/models/{model_id}/vocabulary", {
          params: { path: { project_id, model_id } },
        }),
      )) as unknown as Vocabulary,
  });

export const models = (project_id: string) =>
  queryOptions({
    queryKey: ["project", project_id, "models"],
    queryFn: () =>
      take(api.GET("/api/projects/{project_id}/models", { params: { path: { project_id }, query: { limit: 200 } } })),
  });
