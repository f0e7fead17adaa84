import { useQuery } from "@tanstack/react-query";

import { api, type Schemas, take } from "@/api/client";
import { Notice } from "@/parts/Notices";
import { bytes, number, seconds } from "@/format";
import * as ask from "@/queries";

import type { Source } from "./source";

import { useProject } from "@/projects/Project";
import { total } from "@/projects/Overview";

/** What a run will be like, by the rows of the source and the speed of earlier runs. */
export function estimate(rows: number, subjects: number, asked: number) {
  return Math.round((rows / Math.max(1, subjects)) * asked);
}

export function Estimate({ source, subjects }: { source: Source; subjects: number }) {
  const { projectId } = useProject();
  const usage = useQuery({ queryKey: ["usage"], queryFn: () => take(api.GET("/api/usage")) });
  const runs = useQuery(ask.runs(projectId));
  if (!source.subjects || !source.rows) return null;
  const rows = estimate(source.rows, source.subjects, subjects);
  const speeds = (runs.data?.items ?? [])
    .filter((run) => run.job.state === "done" && run.job.cache === "miss" && run.job.seconds > 0 && run.summary)
    .map((run) => total(run.summary!["rows"]) / run.job.seconds);
  const speed = speeds.length ? speeds.reduce((sum, each) => sum + each, 0) / speeds.length : null;
  const over = (amount: Schemas["Amount"] | undefined, wanted: number) =>
    amount?.remaining != null && wanted > amount.remaining;
  const most = usage.data?.limits.subjects_per_run;
  return (
    <div className="panel p-4">
      <h2 className="mb-2 text-base">What to expect</h2>
      <dl className="numbers grid grid-cols-[1fr_auto] gap-x-4 gap-y-1">
        <dt className="text-muted">Rows, about</dt>
        <dd>{number(rows)}</dd>
        <dt className="text-muted">Size as the source, about</dt>
        <dd>{bytes((source.size * rows) / source.rows)}</dd>
        <dt className="text-muted">Time, by earlier runs</dt>
        <dd>{speed ? seconds(rows / speed) : "no earlier run"}</dd>
        {usage.data?.rows.remaining != null && (
          <>
            <dt className="text-muted">Rows left today</dt>
            <dd>{number(usage.data.rows.remaining)}</dd>
          </>
        )}
        {usage.data?.subjects.remaining != null && (
          <>
            <dt className="text-muted">Subjects left today</dt>
            <dd>{number(usage.data.subjects.remaining)}</dd>
          </>
        )}
      </dl>
      {(over(usage.data?.rows, rows) || over(usage.data?.subjects, subjects)) && (
        <div className="mt-3">
          <Notice tone="warning">
            This is more than your tier ({usage.data?.tier}) has left for today. Ask for fewer subjects, or an
            administrator for another tier.
          </Notice>
        </div>
      )}
      {most != null && subjects > most && (
        <div className="mt-3">
          <Notice tone="warning">Your tier allows {number(most)} subjects in one run.</Notice>
        </div>
      )}
    </div>
  );
}
