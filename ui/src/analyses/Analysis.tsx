import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { PageHead } from "@/parts/Layout";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { type View, ViewTabs } from "@/parts/ViewTabs";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { Overview } from "./Overview";
import { Relations } from "./Relations";
import { Relearn } from "./Relearn";
import { Table } from "./Table";

const route = getRouteApi("/inside/projects/$projectId/analyses/$analysisId");

const Patterned = lazy(() => import("./Patterned"));

const VIEWS: readonly View[] = [
  [undefined, "Overview"],
  ["tables", "Tables and variables"],
  ["relations", "Relations"],
  ["courses", "Courses and events"],
  ["correlations", "Correlations"],
  ["subjects", "Single subjects"],
];
const PATTERNED = ["courses", "correlations", "subjects"];

export function Analysis() {
  const { projectId, may } = useProject();
  const { analysisId } = route.useParams();
  const { view, table, find } = route.useSearch();
  const navigate = useNavigate();
  const found = useQuery(ask.analysis(projectId, analysisId));
  const done = found.data?.job.state === "done";
  const profile = useQuery({ ...ask.profile(projectId, analysisId), enabled: done });
  const explanation = useQuery({ ...ask.explanation(projectId, analysisId), enabled: done });

  if (found.isPending) return <Waiting for="Loading the analysis" />;
  if (found.isError) return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  const analysis = found.data;
  const error = profile.error ?? explanation.error;
  return (
    <>
      <PageHead
        title="What was found"
        actions={
          may("runs.write") && (
            <ButtonLink
              look="primary"
              to="/projects/$projectId/generate"
              params={{ projectId }}
              search={{ dataset: analysis.dataset_id }}
            >
              Generate subjects
            </ButtonLink>
          )
        }
      >
        In{" "}
        <Link
          to="/projects/$projectId/data/$datasetId"
          params={{ projectId, datasetId: analysis.dataset_id }}
          search={{}}
          className="link"
        >
          {analysis.name}
        </Link>
      </PageHead>
      {(isOpen(analysis.job.state) || analysis.job.state === "failed") && (
        <div className="panel p-4">
          <JobLine projectId={projectId} job={analysis.job} refresh={["project", projectId, "analyses"]} />
        </div>
      )}
      {analysis.job.state === "cancelled" && <Notice>The analysis was cancelled.</Notice>}
      {error && <ProblemBox error={error} />}
      {done && !error && (
        <>
          <ViewTabs label="Views of the analysis" views={VIEWS} />
          {explanation.data && <Relearn datasetId={analysis.dataset_id} before={explanation.data} />}
          {profile.data && explanation.data ? (
            PATTERNED.includes(view ?? "") ? (
              <Suspense fallback={<Waiting for="Loading the charts" />}>
                <Patterned view={view!} analysis={analysis} profile={profile.data} />
              </Suspense>
            ) : view === "tables" ? (
              <Table
                profile={profile.data}
                explanation={explanation.data}
                table={table}
                find={find ?? ""}
                onShow={(change) =>
                  void navigate({
                    to: "/projects/$projectId/analyses/$analysisId",
                    params: { projectId, analysisId },
                    search: (old) => ({ ...old, ...change }),
                    replace: "find" in change,
                  })
                }
              />
            ) : view === "relations" ? (
              <Relations profile={profile.data} explanation={explanation.data} />
            ) : (
              <Overview profile={profile.data} explanation={explanation.data} />
            )
          ) : (
            <Waiting for="Loading what was found" />
          )}
        </>
      )}
    </>
  );
}
