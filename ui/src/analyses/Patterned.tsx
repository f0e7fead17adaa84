import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, type Schemas, take } from "@/api/client";
import { ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";
import { Timeline } from "@/subjects/Timeline";

import { useProject } from "@/projects/Project";

import { Correlations } from "./Correlations";
import { Courses } from "./Courses";

const route = getRouteApi("/inside/projects/$projectId/analyses/$analysisId");

/** What the data show over time, together, and of single subjects. */
export default function Patterned({
  view,
  analysis,
  profile,
}: {
  view: string;
  analysis: Schemas["AnalysisOut"];
  profile: ask.Profile;
}) {
  const { projectId } = useProject();
  const { analysisId } = route.useParams();
  const { test, subject } = route.useSearch();
  const navigate = useNavigate();
  const show = (change: { test?: string; subject?: string }) =>
    void navigate({
      to: "/projects/$projectId/analyses/$analysisId",
      params: { projectId, analysisId },
      search: (old) => ({ ...old, ...change }),
      replace: true,
    });
  const patterns = useQuery(ask.patterns(projectId, analysisId));
  const place = { project_id: projectId, dataset_id: analysis.dataset_id, number: analysis.version };
  const tables = useQuery({
    queryKey: ["project", projectId, "datasets", analysis.dataset_id, "tables", analysis.version],
    enabled: view === "subjects",
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/datasets/{dataset_id}/versions/{number}/tables", {
          params: { path: place },
        }),
      ),
  });
  const error = patterns.error ?? tables.error;
  if (error) return <ProblemBox error={error} />;
  if (!patterns.data) return <Waiting for="Loading what was found" />;
  if (view === "courses")
    return <Courses patterns={patterns.data} test={test} onTest={(next) => show({ test: next })} />;
  if (view === "correlations") return <Correlations found={patterns.data.correlations} />;
  if (!tables.data) return <Waiting for="Loading the tables" />;
  return (
    <Timeline
      base={`/api/projects/${projectId}/datasets/${analysis.dataset_id}/versions/${analysis.version}`}
      tables={tables.data}
      roles={patterns.data.roles}
      profile={profile}
      subject={subject}
      onSubject={(next) => show({ subject: next })}
    />
  );
}
