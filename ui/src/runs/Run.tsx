import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { lazy, Suspense } from "react";

import { api, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, ButtonLink, buttonClass } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { JobLine } from "@/parts/JobLine";
import { Grid, PageHead, Section, Stat, Stats } from "@/parts/Layout";
import { Badge, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { TabBar, tabClass } from "@/parts/Tabs";
import { useToasts } from "@/parts/Toasts";
import { count, moment, number, seconds } from "@/format";
import { TableView } from "@/tables/TableView";
import * as ask from "@/queries";

import { total } from "@/projects/Overview";
import { useProject } from "@/projects/Project";

import { Downloads } from "./Downloads";
import { Findings } from "./Findings";
import type { Summary } from "./Runs";

const Asked = lazy(() => import("@/generate/Asked"));
const route = getRouteApi("/inside/projects/$projectId/runs/$runId");

export function Run() {
  const { projectId, may } = useProject();
  const { runId } = route.useParams();
  const { view, severity, row, ...shown } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const found = useQuery(ask.run(projectId, runId));
  const datasets = useQuery(ask.datasets(projectId));
  const path = { project_id: projectId, run_id: runId };
  const done = found.data?.job.state === "done";
  const tables = useQuery({
    queryKey: ["project", projectId, "runs", runId, "tables"],
    enabled: done && (view === "data" || view === undefined),
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
  const views: [string | undefined, string][] = [
    [undefined, "Summary"],
    ["data", "Look at the rows"],
    ...(summary?.validation
      ? [["findings", `Checks (${number(summary.validation.findings)})`] as [string, string]]
      : []),
    ...(summary?.report ? [["report", "Report"] as [string, string]] : []),
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
          <TabBar label="Views of the run">
            {views.map(([key, text]) => (
              <li key={text}>
                <Link
                  to="/projects/$projectId/runs/$runId"
                  params={{ projectId, runId }}
                  search={{ view: key }}
                  activeOptions={{ explicitUndefined: true }}
                  className={tabClass}
                >
                  {text}
                </Link>
              </li>
            ))}
          </TabBar>
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
          {view === "findings" && <Findings severity={severity} table={shown.table} />}
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

function SummaryView({ summary, took }: { summary: Summary; took: number | null }) {
  const { projectId } = useProject();
  const { runId } = route.useParams();
  return (
    <>
      <Stats>
        {summary.subjects != null && <Stat label="Subjects" value={number(summary.subjects)} />}
        <Stat label="Rows" value={number(total(summary.rows))} />
        <Stat label="Tables" value={number(summary.tables.length)} />
        <Stat
          label="Took"
          value={took === null ? "nothing" : seconds(took)}
          note={took === null ? "found in the cache" : undefined}
        />
        {summary.validation && (
          <Stat
            label="Checks"
            value={summary.validation.ok ? "Passed" : count(summary.validation.findings, "finding")}
            note={`${number(summary.validation.checked)} rules`}
          />
        )}
      </Stats>
      {summary.validation && (
        <div className="mb-6">
          <Notice tone={summary.validation.ok || summary.answers ? "info" : "warning"}>
            {summary.validation.headline}
            {summary.answers && ". Faults were asked for, so findings are expected."}
          </Notice>
        </div>
      )}
      {summary.notes.length > 0 && (
        <Section title="Notes of the run">
          <Notice>
            <ul className="grid gap-1">
              {summary.notes.map((note) => (
                <li key={note} className="break-words">
                  {note}
                </li>
              ))}
            </ul>
          </Notice>
        </Section>
      )}
      <Section title="Tables">
        <Grid label="Tables" head={["Table", "Rows", ""]}>
          {summary.tables.map((table) => (
            <tr key={table.table}>
              <th scope="row">{table.table}</th>
              <td className="numbers">{number(table.rows)}</td>
              <td className="text-right">
                <Link
                  to="/projects/$projectId/runs/$runId"
                  params={{ projectId, runId }}
                  search={{ view: "data", table: table.table }}
                  className="link"
                >
                  Look at the rows<span className="sr-only"> of {table.table}</span>
                </Link>
              </td>
            </tr>
          ))}
        </Grid>
      </Section>
      {summary.answers && (
        <p className="mb-6">
          <Badge tone="warning">with faults</Badge> The key that says where they are is among the files, in the folder{" "}
          <code>answers</code>.
        </p>
      )}
    </>
  );
}

function Report({ projectId, runId }: { projectId: string; runId: string }) {
  const path = { project_id: projectId, run_id: runId };
  const report = useQuery({
    queryKey: ["project", projectId, "runs", runId, "report"],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/runs/{run_id}/report", { params: { path }, parseAs: "text" }),
      )) as unknown as string,
  });
  if (report.isPending) return <Waiting for="Loading the report" />;
  if (report.isError) return <ProblemBox error={report.error} />;
  return (
    <iframe
      title="Report: source against synthetic"
      // No script may run in it, and its links open beside this page.
      sandbox="allow-popups"
      srcDoc={report.data}
      className="h-[80vh] w-full rounded-lg border border-line bg-white"
    />
  );
}
