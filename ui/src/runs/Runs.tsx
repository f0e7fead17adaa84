import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { Checkbox } from "@/parts/Fields";
import { JobLine } from "@/parts/JobLine";
import { Grid, PageHead } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { ago, count, moment, number, seconds } from "@/format";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { RunLink } from "./links";
import { type Summary, total } from "./result";

export function Runs() {
  const { projectId, may } = useProject();
  const list = useQuery(ask.runs(projectId));
  const [chosen, setChosen] = useState<string[]>([]);
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
              <RunLink run={run} className="mb-2 inline-block font-medium" />
              <JobLine
                projectId={projectId}
                job={run.waits_for && isOpen(run.waits_for.state) ? run.waits_for : run.job}
                refresh={["project", projectId, "runs"]}
              />
            </li>
          ))}
        </ul>
      )}
      {list.data.total > 1 && (
        <div className="mb-3 flex flex-wrap items-center gap-3">
          <ButtonLink
            to="/projects/$projectId/compare"
            params={{ projectId }}
            search={{ runs: chosen.join(",") }}
            disabled={chosen.length < 2}
            className={chosen.length < 2 ? "pointer-events-none opacity-60" : ""}
          >
            Compare {chosen.length > 1 ? `${chosen.length} runs` : "runs"}
          </ButtonLink>
          <span className="text-sm text-muted">
            {chosen.length < 2 ? "Tick two to four runs to see them side by side." : ""}
          </span>
        </div>
      )}
      {list.data.total > 0 && (
        <Grid
          label="Runs"
          head={[
            <span className="sr-only">Compare</span>,
            "Run",
            "State",
            "Subjects",
            "Rows",
            "Took",
            "Checks",
            "When",
          ]}
        >
          {list.data.items.map((run) => {
            const summary = run.summary as Summary | null;
            return (
              <tr key={run.id}>
                <td>
                  <Checkbox
                    label={<span className="sr-only">Compare {run.name}</span>}
                    isSelected={chosen.includes(run.id)}
                    isDisabled={!chosen.includes(run.id) && chosen.length >= 4}
                    onChange={(on) => setChosen(on ? [...chosen, run.id] : chosen.filter((id) => id !== run.id))}
                  />
                </td>
                <th scope="row">
                  <RunLink run={run} />
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
