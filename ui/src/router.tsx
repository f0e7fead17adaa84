import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";

import { asProblem } from "./api/problem";
import { PageHead } from "./parts/Layout";
import { ProblemBox, Waiting } from "./parts/Notices";
import { ButtonLink } from "./parts/Button";
import * as ask from "./queries";
import { Shell } from "./shell/Shell";

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
const whole = (value: unknown): number | undefined =>
  Number.isInteger(Number(value)) && Number(value) > 0 ? Number(value) : undefined;

function NotFound() {
  return (
    <main className="mx-auto max-w-2xl p-6">
      <PageHead title="There is no such page">Perhaps it was deleted, or you are not a member of its project.</PageHead>
      <ButtonLink to="/">To your projects</ButtonLink>
    </main>
  );
}

function Failed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <div className="mx-auto max-w-2xl p-6">
      <ProblemBox error={error} onRetry={reset} />
    </div>
  );
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: Failed,
});

/** A path without a host only: nobody is to be led elsewhere by a link to this page. */
export const safeNext = (value: unknown) => {
  const given = text(value);
  return given && /^\/(?![/\\])/.test(given) ? given : undefined;
};

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { next?: string; expired?: boolean; error?: string } => ({
    next: safeNext(search.next),
    expired: search.expired === true || undefined,
    error: text(search.error),
  }),
  component: lazyRouteComponent(() => import("./auth/SignIn"), "SignIn"),
});

const auth = <Path extends string>(
  path: Path,
  name: "Register" | "Forgotten" | "Reset" | "Setup" | "Welcome" | "Verify",
) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(() => import("./auth/Account"), name),
  });

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(ask.me());
    } catch (error) {
      if (asProblem(error).status !== 401) throw error;
      throw redirect({ to: "/login", search: { next: location.href === "/" ? undefined : location.href } });
    }
  },
  component: Shell,
});

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { search?: string; archived?: boolean } => ({
    search: text(search.search),
    archived: search.archived === true || undefined,
  }),
  component: lazyRouteComponent(() => import("./projects/Projects"), "Projects"),
});

const invitation = createRoute({
  getParentRoute: () => inside,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./projects/Invitation"), "Invitation"),
});

const project = createRoute({
  getParentRoute: () => inside,
  path: "/projects/$projectId",
  loader: ({ context, params }) => context.client.ensureQueryData(ask.project(params.projectId)),
  component: lazyRouteComponent(() => import("./projects/Project"), "Project"),
  errorComponent: ({ error, reset }) =>
    asProblem(error).status === 404 ? <NotFound /> : <Failed error={error} reset={reset} />,
});

const overview = createRoute({
  getParentRoute: () => project,
  path: "/",
  component: lazyRouteComponent(() => import("./projects/Overview"), "Overview"),
});

const members = createRoute({
  getParentRoute: () => project,
  path: "settings",
  component: lazyRouteComponent(() => import("./projects/Settings"), "Settings"),
});

const data = createRoute({
  getParentRoute: () => project,
  path: "data",
  component: lazyRouteComponent(() => import("./datasets/Datasets"), "Datasets"),
});

/** Which table is shown, and which of its rows. */
export interface TableSearch {
  table?: string;
  sort?: string;
  find?: string;
  where?: string;
  /** Only rows into which faults were put. */
  faulty?: boolean;
}

export const tableSearch = (search: Record<string, unknown>): TableSearch => ({
  table: text(search.table),
  sort: text(search.sort),
  find: text(search.find),
  where: text(search.where),
  faulty: search.faulty === true || undefined,
});

const dataset = createRoute({
  getParentRoute: () => project,
  path: "data/$datasetId",
  validateSearch: (search: Record<string, unknown>): TableSearch & { view?: string } => ({
    ...tableSearch(search),
    view: text(search.view),
  }),
  component: lazyRouteComponent(() => import("./datasets/Dataset"), "Dataset"),
});

const analyses = createRoute({
  getParentRoute: () => project,
  path: "analyses",
  component: lazyRouteComponent(() => import("./analyses/Analyses"), "Analyses"),
});

const analysis = createRoute({
  getParentRoute: () => project,
  path: "analyses/$analysisId",
  validateSearch: (
    search: Record<string, unknown>,
  ): { table?: string; find?: string; view?: string; test?: string; subject?: string } => ({
    table: text(search.table),
    find: text(search.find),
    view: text(search.view),
    test: text(search.test),
    subject: text(search.subject),
  }),
  component: lazyRouteComponent(() => import("./analyses/Analysis"), "Analysis"),
});

const generate = createRoute({
  getParentRoute: () => project,
  path: "generate",
  validateSearch: (search: Record<string, unknown>): { dataset?: string; model?: string; again?: string } => ({
    dataset: text(search.dataset),
    model: text(search.model),
    again: text(search.again),
  }),
  component: lazyRouteComponent(() => import("./generate/Generate"), "Generate"),
});

const models = createRoute({
  getParentRoute: () => project,
  path: "models",
  component: lazyRouteComponent(() => import("./models/Models"), "Models"),
});

const runs = createRoute({
  getParentRoute: () => project,
  path: "runs",
  component: lazyRouteComponent(() => import("./runs/Runs"), "Runs"),
});

const run = createRoute({
  getParentRoute: () => project,
  path: "runs/$runId",
  validateSearch: (
    search: Record<string, unknown>,
  ): TableSearch & {
    view?: string;
    severity?: string;
    rule?: string;
    kind?: string;
    subject?: string;
    row?: number;
  } => ({
    ...tableSearch(search),
    view: text(search.view),
    severity: text(search.severity),
    rule: text(search.rule),
    kind: text(search.kind),
    subject: text(search.subject),
    row: whole(search.row),
  }),
  component: lazyRouteComponent(() => import("./runs/Run"), "Run"),
});

const compare = createRoute({
  getParentRoute: () => project,
  path: "compare",
  validateSearch: (search: Record<string, unknown>): { runs?: string } => ({ runs: text(search.runs) }),
  component: lazyRouteComponent(() => import("./runs/Compare"), "Compare"),
});

const account = createRoute({
  getParentRoute: () => inside,
  path: "/account",
  component: lazyRouteComponent(() => import("./keys/Account"), "Account"),
});

const keys = createRoute({
  getParentRoute: () => inside,
  path: "/keys",
  component: lazyRouteComponent(() => import("./keys/Keys"), "Keys"),
});

const admin = createRoute({
  getParentRoute: () => inside,
  path: "/admin",
  component: lazyRouteComponent(() => import("./admin/Admin"), "Admin"),
});

const people = createRoute({
  getParentRoute: () => admin,
  path: "/",
  validateSearch: (search: Record<string, unknown>): { search?: string } => ({ search: text(search.search) }),
  component: lazyRouteComponent(() => import("./admin/People"), "People"),
});

const policies = createRoute({
  getParentRoute: () => admin,
  path: "settings",
  component: lazyRouteComponent(() => import("./admin/Policies"), "Policies"),
});

const tiers = createRoute({
  getParentRoute: () => admin,
  path: "tiers",
  component: lazyRouteComponent(() => import("./admin/Policies"), "Tiers"),
});

const logs = createRoute({
  getParentRoute: () => admin,
  path: "logs",
  validateSearch: (
    search: Record<string, unknown>,
  ): { days?: string; kind?: string; outcome?: string; page?: number } => ({
    days: text(search.days),
    kind: text(search.kind),
    outcome: text(search.outcome),
    page: whole(search.page),
  }),
  component: lazyRouteComponent(() => import("./admin/Logs"), "Logs"),
});

const cache = createRoute({
  getParentRoute: () => admin,
  path: "cache",
  component: lazyRouteComponent(() => import("./admin/Cache"), "Cache"),
});

const audit = createRoute({
  getParentRoute: () => admin,
  path: "audit",
  validateSearch: (search: Record<string, unknown>): { action?: string } => ({ action: text(search.action) }),
  component: lazyRouteComponent(() => import("./admin/Audit"), "Audit"),
});

const tree = root.addChildren([
  signIn,
  auth("/register", "Register"),
  auth("/forgotten", "Forgotten"),
  auth("/reset-password", "Reset"),
  auth("/setup", "Setup"),
  auth("/accept-invitation", "Welcome"),
  auth("/verify", "Verify"),
  inside.addChildren([
    home,
    invitation,
    account,
    keys,
    admin.addChildren([people, policies, tiers, logs, cache, audit]),
    project.addChildren([overview, members, data, dataset, analyses, analysis, models, generate, runs, run, compare]),
  ]),
]);

export const makeRouter = (client: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultPendingComponent: () => (
      <div className="p-6">
        <Waiting for="Opening the page" />
      </div>
    ),
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
