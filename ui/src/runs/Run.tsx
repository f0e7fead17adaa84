import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { lazy, Suspense } from "react";

import { api, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, ButtonLink, buttonClass } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { JobLine } from "@/parts/JobLine";
import { PageHead } from "@/parts/Layout";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { type View, ViewTabs } from "@/parts/ViewTabs";
import { useToasts } from "@/parts/Toasts";
import { moment, number } from "@/format";
import { TableView } from "@/tables/TableView";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { Downloads } from "./Downloads";
import { FaultList } from "./FaultList";
import { Findings } from "./Findings";
import { Report } from "./Report";
import { SummaryView } from "./Summary";
import type { Summary } from "./result";

const Asked = lazy(() => import("@/generate/Asked"));
const Subjects = lazy(() => import("./Subjects"));
const route = getRouteApi("/inside/projects/$projectId/runs/$runId");

export function Run() {
  const { projectId, may } = useProject();
  const { runId } = route.useParams();
  const { view, severity, rule, kind, subject, row, ...shown } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const found = useQuery(ask.run(projectId, runId));
  const datasets = useQuery(ask.datasets(projectId));
  const path = { project_id: projectId, run_id: runId };
  const done = found.data?.job.state === "done";
  const tables = useQuery({
    queryKey: ["project", projectId, "runs", runId, "tables"],
    enabled: done && ["data", "faults", "subjects"].includes(view ?? ""),
    staleTime: Infinity,
    queryFn: () => take(api.GET("/api/projects/{project_id}/runs/{run_id}/tables", { params: { path } })),
  });
  const cancel = useMutation({
    mutationFn: (job_id: string) =>
      take(
        api.POST("/api/projects/{project_id}/jobs/{job_id}/cancel", {
          params: { path: { project_id: projectId, job_id } },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["project", projectId, "runs"] });
      tell("Cancelled. What was made so far is thrown away.");
    },
    onError: fail,
  });

  if (found.isPending) return <Waiting for="Loading the run" />;
  if (found.isError) return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  const run = found.data;
  const summary = run.summary as Summary | null;
  const dataset = datasets.data?.items.find((each) => each.id === run.dataset_id);
  const waiting =
    run.waits_for && (isOpen(run.waits_for.state) || run.waits_for.state === "failed") ? run.waits_for : null;
  const document = (run.request["document"] as Record<string, unknown> | undefined) ?? run.request;
  const views: View[] = [
    [undefined, "Summary"],
    ["data", "Look at the rows"],
    ...(run.kind === "generate" && (run.dataset_id || run.model_id) ? [["subjects", "Single subjects"] as const] : []),
    ...(summary?.validation ? [["findings", `Checks (${number(summary.validation.findings)})`] as const] : []),
    ...(summary?.answers ? [["faults", "Faults"] as const] : []),
    ...(summary?.report ? [["report", "Report"] as const] : []),
    ["downloads", "Download and push"],
    ["request", "Request"],
  ];

  return (
    <>
      <PageHead
        title={run.name}
        actions={
          <>
            {isOpen(run.job.state) && may("runs.write") && (
              <Button look="danger" doing={cancel.isPending && "Cancelling…"} onPress={() => cancel.mutate(run.job.id)}>
                Cancel
              </Button>
            )}
            {may("runs.write") && run.kind === "generate" && (
              <ButtonLink to="/projects/$projectId/generate" params={{ projectId }} search={{ again: runId }}>
                Run again, with changes
              </ButtonLink>
            )}
            {done && (
              <a className={buttonClass("primary")} href={`/api/projects/${projectId}/runs/${runId}/archive`}>
                <Download aria-hidden className="size-4" /> Download all
              </a>
            )}
          </>
        }
      >
        {run.kind === "corrupt" ? "Faults put into" : "Made from"}{" "}
        {dataset ? (
          <Link
            to="/projects/$projectId/data/$datasetId"
            params={{ projectId, datasetId: dataset.id }}
            search={{}}
            className="link"
          >
            {dataset.name}
          </Link>
        ) : (
          "a model"
        )}
        , {moment(run.created_at)}
        {run.expires_at && `; kept until ${moment(run.expires_at)}`}
      </PageHead>

      {(isOpen(run.job.state) || run.job.state === "failed") && (
        <div className="panel mb-6 p-4" aria-live="polite">
          {waiting && (
            <p className="mb-2 text-muted">
              {waiting.state === "failed" ? "The study could not be learned:" : "First the study is learned:"}
            </p>
          )}
          <JobLine projectId={projectId} job={waiting ?? run.job} refresh={["project", projectId, "runs"]} />
        </div>
      )}
      {run.job.state === "cancelled" && (
        <div className="mb-6">
          <Notice>The run was cancelled. Nothing of it was kept.</Notice>
        </div>
      )}

      {done && summary && (
        <>
          <ViewTabs label="Views of the run" views={views} />
          {view === undefined && (
            <SummaryView summary={summary} took={run.job.cache === "hit" ? null : run.job.seconds} />
          )}
          {view === "data" &&
            (tables.data ? (
              <TableView
                base={`/api/projects/${projectId}/runs/${runId}`}
                tables={tables.data}
                shown={shown}
                row={row}
                faults={Boolean(summary.answers)}
                onShow={(change) =>
                  void navigate({
                    to: "/projects/$projectId/runs/$runId",
                    params: { projectId, runId },
                    search: (old) => ({ ...old, row: undefined, ...change }),
                    replace: !("table" in change),
                  })
                }
              />
            ) : tables.isError ? (
              <ProblemBox error={tables.error} />
            ) : (
              <Waiting for="Loading the tables" />
            ))}
          {view === "findings" && <Findings severity={severity} rule={rule} table={shown.table} />}
          {view === "faults" && (
            <FaultList
              kind={kind}
              previewed={new Set(tables.data?.filter((each) => each.preview).map((each) => each.table))}
            />
          )}
          {view === "subjects" &&
            (tables.data ? (
              <Suspense fallback={<Waiting for="Loading the timeline" />}>
                <Subjects
                  run={run}
                  tables={tables.data}
                  subject={subject}
                  onSubject={(next) =>
                    void navigate({
                      to: "/projects/$projectId/runs/$runId",
                      params: { projectId, runId },
                      search: { view: "subjects", subject: next },
                      replace: true,
                    })
                  }
                />
              </Suspense>
            ) : tables.isError ? (
              <ProblemBox error={tables.error} />
            ) : (
              <Waiting for="Loading the tables" />
            ))}
          {view === "report" && <Report projectId={projectId} runId={runId} />}
          {view === "downloads" && <Downloads />}
        </>
      )}
      {(view === "request" || (!done && !isOpen(run.job.state))) && run.kind === "generate" && (
        <div className="mb-6 max-w-3xl">
          <Suspense fallback={<Waiting for="Loading the request" />}>
            <Asked
              document={cleared(document)}
              projectId={projectId}
              source={
                run.dataset_id
                  ? { kind: "dataset", id: run.dataset_id, name: dataset?.name ?? "study" }
                  : { kind: "model", id: run.model_id ?? "", name: "model" }
              }
            />
          </Suspense>
        </div>
      )}
      {!isOpen(run.job.state) && may("runs.write") && (view === undefined || !done) && (
        <Confirm
          text="Delete the run"
          title="Delete the run for good?"
          doing="Deleting…"
          onConfirm={async () => {
            await take(api.DELETE("/api/projects/{project_id}/runs/{run_id}", { params: { path } }));
            await navigate({ to: "/projects/$projectId/runs", params: { projectId } });
            client.removeQueries({ queryKey: ["project", projectId, "runs", runId] });
            await client.invalidateQueries({ queryKey: ["project", projectId, "runs"] });
          }}
        >
          Its files and downloads are deleted. The same request with the same seed makes them again.
        </Confirm>
      )}
    </>
  );
}

/** A document without what is empty or said by default, for reading. */
export function cleared(document: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).filter(
      ([, value]) =>
        value !== null &&
        !(Array.isArray(value) && value.length === 0) &&
        !(typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0),
    ),
  );
}
