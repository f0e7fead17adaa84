import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { Grid, PageHead } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { ago, count, moment, number, seconds } from "@/format";
import * as ask from "@/queries";

import { total } from "@/projects/Overview";
import { useProject } from "@/projects/Project";

export function Runs() {
  const { projectId, may } = useProject();
  const list = useQuery(ask.runs(projectId));
  if (list.isPending) return <Waiting for="Loading the runs" />;
  if (list.isError) return <ProblemBox error={list.error} onRetry={() => void list.refetch()} />;
  const going = list.data.items.filter((run) => isOpen(run.job.state));
  const start = may("runs.write") && (
    <ButtonLink look="primary" to="/projects/$projectId/generate" params={{ projectId }} search={{}}>
      Generate subjects
    </ButtonLink>
  );
  return (
    <>
      <PageHead title="Runs" actions={list.data.total > 0 && start}>
        Each run keeps what was asked for: run it again, with changes where you want them.
      </PageHead>
      {list.data.total === 0 && (
        <Empty title="No run yet" action={start}>
          A run makes new subjects from a dataset. The same request with the same seed gives the same bytes.
        </Empty>
      )}
      {going.length > 0 && (
        <ul className="mb-6 grid gap-3">
          {going.map((run) => (
            <li key={run.id} className="panel p-4">
              <Link
                to="/projects/$projectId/runs/$runId"
                params={{ projectId, runId: run.id }}
                search={{}}
                className="mb-2 inline-block font-medium link"
              >
                {run.name}
              </Link>
              <JobLine
                projectId={projectId}
                job={run.waits_for && isOpen(run.waits_for.state) ? run.waits_for : run.job}
                refresh={["project", projectId, "runs"]}
              />
            </li>
          ))}
        </ul>
      )}
      {list.data.total > 0 && (
        <Grid label="Runs" head={["Run", "State", "Subjects", "Rows", "Took", "Checks", "When"]}>
          {list.data.items.map((run) => {
            const summary = run.summary as Summary | null;
            return (
              <tr key={run.id}>
                <th scope="row">
                  <Link
                    to="/projects/$projectId/runs/$runId"
                    params={{ projectId, runId: run.id }}
                    search={{}}
                    className="link"
                  >
                    {run.name}
                  </Link>
                </th>
                <td className="whitespace-nowrap">
                  <StateBadge state={run.job.state} /> {run.job.cache === "hit" && <Badge>from the cache</Badge>}
                </td>
                <td className="numbers">{summary?.subjects != null ? number(summary.subjects) : "–"}</td>
                <td className="numbers">{summary ? number(total(summary.rows)) : "–"}</td>
                <td className="whitespace-nowrap">
                  {run.job.state === "done" && run.job.cache === "miss" ? seconds(run.job.seconds) : "–"}
                </td>
                <td className="whitespace-nowrap">
                  {summary?.validation
                    ? summary.validation.ok
                      ? "passed"
                      : count(summary.validation.findings, "finding")
                    : "–"}
                </td>
                <td className="whitespace-nowrap" title={moment(run.created_at)}>
                  {ago(run.created_at)}
                </td>
              </tr>
            );
          })}
        </Grid>
      )}
    </>
  );
}

/** What a run that is done says of itself. */
export interface Summary {
  subjects: number | null;
  rows: Record<string, number> | number;
  format: string;
  files: number;
  report: boolean;
  answers: boolean;
  notes: string[];
  tables: { table: string; rows: number }[];
  validation: {
    ok: boolean;
    headline: string;
    checked: number;
    findings: number;
    broken: { rule: string; count: number; severity?: string; message?: string; title?: string }[];
    notes: string[];
  } | null;
}
