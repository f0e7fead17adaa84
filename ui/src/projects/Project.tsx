import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Suspense } from "react";

import { Waiting } from "@/parts/Notices";
import { TabBar, tabClass } from "@/parts/Tabs";
import * as ask from "@/queries";

const route = getRouteApi("/inside/projects/$projectId");

const PARTS = [
  { to: "/projects/$projectId", text: "Overview", exact: true },
  { to: "/projects/$projectId/data", text: "Data", exact: false },
  { to: "/projects/$projectId/analyses", text: "What was found", exact: false },
  { to: "/projects/$projectId/generate", text: "Generate", exact: false },
  { to: "/projects/$projectId/runs", text: "Runs", exact: false },
  { to: "/projects/$projectId/models", text: "Models", exact: false },
  { to: "/projects/$projectId/settings", text: "Members and settings", exact: false },
] as const;

export function useProject() {
  const { projectId } = route.useParams();
  const { data: project } = useSuspenseQuery(ask.project(projectId));
  const { data: me } = useSuspenseQuery(ask.me());
  const mayEdit = project.my_role !== "viewer";
  return {
    projectId,
    project,
    me,
    /** Whether membership and role together let one do something. */
    may: (permission: string) => me.permissions.includes(permission) && (mayEdit || permission.endsWith(".read")),
    mayOwn: project.my_role === "owner" && me.permissions.includes("projects.write"),
  };
}

export function Project() {
  const { projectId, project, may } = useProject();
  return (
    <>
      <nav aria-label="Where you are" className="mb-2 text-sm">
        <ol className="flex flex-wrap items-center gap-1 text-muted">
          <li>
            <Link to="/" className="link">
              Projects
            </Link>
          </li>
          <li className="flex min-w-0 items-center gap-1">
            <ChevronRight aria-hidden className="size-4" />
            <span className="max-w-80 truncate font-medium text-ink">{project.name}</span>
          </li>
        </ol>
      </nav>
      <TabBar label="Parts of the project">
        {PARTS.filter((part) => part.text !== "Generate" || may("runs.write")).map((part) => (
          <li key={part.to}>
            <Link
              to={part.to}
              params={{ projectId }}
              activeOptions={{ exact: part.exact, includeSearch: false }}
              className={tabClass}
            >
              {part.text}
            </Link>
          </li>
        ))}
      </TabBar>
      <Suspense fallback={<Waiting for="Opening the page" />}>
        <Outlet />
      </Suspense>
    </>
  );
}
