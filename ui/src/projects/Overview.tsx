import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { problemOfJob } from "@/api/problem";
import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { PageHead, Section } from "@/parts/Layout";
import { ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { ago, count, number } from "@/format";
import * as ask from "@/queries";

import { total } from "@/runs/result";

import { Activity } from "./Activity";
import { useProject } from "./Project";

function Step({
  at,
  title,
  done,
  children,
  action,
}: {
  at: number;
  title: string;
  done: boolean;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <li className="panel flex flex-col gap-2 p-4">
      <h2 className="flex items-center gap-2.5 text-base">
        <span
          aria-hidden
          className={`grid size-7 place-items-center rounded-full text-sm ${done ? "bg-accent text-on-accent" : "bg-sunken text-muted"}`}
        >
          {at}
        </span>
        {title}
      </h2>
      <div className="text-muted">{children}</div>
      {action && <div className="mt-auto pt-1">{action}</div>}
    </li>
  );
}

export function Overview() {
  const { projectId, project, may } = useProject();
  const datasets = useQuery(ask.datasets(projectId));
  const analyses = useQuery(ask.analyses(projectId));
  const runs = useQuery(ask.runs(projectId));
  const error = datasets.error ?? analyses.error ?? runs.error;
  if (error) return <ProblemBox error={error} />;
  if (!datasets.data || !analyses.data || !runs.data) return <Waiting for="Loading the project" />;

  const data = datasets.data.items[0];
  const found = analyses.data.items[0];
  const run = runs.data.items[0];
  const params = { projectId };
  const inspection = data?.latest?.inspection;
  const goOn = !data ? "data" : !found ? "found" : !run ? "generate" : "runs";
  const look = (part: string) => (goOn === part ? "primary" : "secondary");
  const going = [
    ...(data?.latest?.job && isOpen(data.latest.job.state)
      ? [{ title: `Files of ${data.name}`, job: data.latest.job }]
      : []),
    ...analyses.data.items
      .filter((a) => isOpen(a.job.state))
      .map((a) => ({ title: `Analysis of ${a.name}`, job: a.job })),
    ...runs.data.items
      .filter((r) => isOpen(r.job.state))
      .map((r) => ({ title: `Run ${r.name}`, job: r.waits_for && isOpen(r.waits_for.state) ? r.waits_for : r.job })),
  ];

  return (
    <>
      <PageHead title={project.name}>{project.description}</PageHead>
      <ol className="mb-8 grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
        <Step
          at={1}
          title="Data"
          done={Boolean(inspection?.usable)}
          action={
            (data || may("datasets.write")) && (
              <ButtonLink look={look("data")} to="/projects/$projectId/data" params={params}>
                {data ? "See the data" : "Upload files"}
              </ButtonLink>
            )
          }
        >
          {!data && "The files of an existing study: SAS, CSV, Excel, Parquet, JSON, or a zip of them."}
          {data && inspection && (
            <>
              {data.name}: {count(inspection.files.flatMap((file) => file.tables).length, "table")},{" "}
              {count(inspection.rows, "row")}
              {inspection.subjects !== null && `, ${count(inspection.subjects, "subject")}`}
            </>
          )}
          {data && !inspection && `${data.name}: ${data.latest ? "not looked into yet" : "no files yet"}`}
        </Step>
        <Step
          at={2}
          title="What was found"
          done={Boolean(found?.summary)}
          action={
            found ? (
              <ButtonLink
                look={look("found")}
                to="/projects/$projectId/analyses/$analysisId"
                params={{ projectId, analysisId: found.id }}
              >
                See what was found
              </ButtonLink>
            ) : (
              data && (
                <ButtonLink
                  look={look("found")}
                  to="/projects/$projectId/data/$datasetId"
                  params={{ projectId, datasetId: data.id }}
                >
                  Analyse the data
                </ButtonLink>
              )
            )
          }
        >
          {found?.summary
            ? `${number(found.summary["derivations"] as number)} computed variables, ${number(
                found.summary["references"] as number,
              )} references between tables`
            : "Keys, formulas, relations, distributions, visits and arms of the study."}
        </Step>
        <Step
          at={3}
          title="Generate"
          done={runs.data.total > 0}
          action={
            may("runs.write") &&
            data && (
              <ButtonLink look={look("generate")} to="/projects/$projectId/generate" params={params} search={{}}>
                Generate subjects
              </ButtonLink>
            )
          }
        >
          Any number of new subjects, by arm, sex and site, with constraints and faults where you want them.
        </Step>
        <Step
          at={4}
          title="Result"
          done={run?.job.state === "done"}
          action={
            run && (
              <ButtonLink
                look={look("runs")}
                to="/projects/$projectId/runs/$runId"
                params={{ projectId, runId: run.id }}
                search={{}}
              >
                {run.job.state === "done" ? "Look and download" : "See the run"}
              </ButtonLink>
            )
          }
        >
          {run?.job.state === "failed"
            ? `${run.name} failed. ${problemOfJob(run.job.error).message}`
            : run?.summary
              ? `${run.name}: ${count(run.summary["rows"] === undefined ? 0 : total(run.summary["rows"]), "row")}`
              : "Preview, checks, a report against the source, and downloads in any format."}
        </Step>
      </ol>
      {going.length > 0 && (
        <Section title="At work">
          <ul className="grid gap-3">
            {going.map(({ title, job }) => (
              <li key={job.id} className="panel p-4">
                <p className="mb-2 font-medium">{title}</p>
                <JobLine projectId={projectId} job={job} refresh={["project", projectId]} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {runs.data.items.length > 0 && (
        <Section title="Latest runs">
          <ul className="panel divide-y divide-line">
            {runs.data.items.slice(0, 5).map((each) => (
              <li key={each.id}>
                <Link
                  to="/projects/$projectId/runs/$runId"
                  params={{ projectId, runId: each.id }}
                  search={{}}
                  className="flex flex-wrap items-center justify-between gap-2 px-4 py-3 text-ink no-underline hover:bg-sunken"
                >
                  <span className="font-medium">{each.name}</span>
                  <span className="flex items-center gap-3 text-sm text-muted">
                    {ago(each.created_at)}
                    <StateBadge state={each.job.state} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Activity projectId={projectId} />
    </>
  );
}
