import { Check } from "lucide-react";

import { type Job, isOpen, useJob } from "@/api/useJob";
import { count, seconds, step } from "@/format";

import { ProblemBox, StateBadge } from "./Notices";
import { Progress } from "./Progress";
import { problemOfJob } from "@/api/problem";

const LINES = {
  live: "",
  connecting: "Connecting to the live progress…",
  polling: "The live connection is lost: asking every two seconds.",
};

/** How far a job is, live; when it has failed, why. */
export function JobLine({ projectId, job, refresh }: { projectId: string; job: Job; refresh: readonly unknown[] }) {
  const watched = useJob(projectId, job, refresh);
  if (!watched) return null;
  if (watched.state === "failed") return <ProblemBox error={problemOfJob(job.error)} />;
  if (!isOpen(watched.state)) return <StateBadge state={watched.state} />;
  const progress = watched.progress;
  if (watched.state === "queued" || !progress)
    return (
      <Progress
        label={watched.state === "queued" ? "Waiting for a free worker" : "Starting"}
        value={undefined}
        note={LINES[watched.line]}
      />
    );
  const known = progress.total > 0;
  const parts = [
    known && progress.unit
      ? `${count(progress.done, "", "").trim()} of ${count(progress.total, progress.unit.replace(/s$/, ""), progress.unit)}`
      : progress.unit,
    progress.remaining_seconds != null &&
      progress.remaining_seconds > 0 &&
      `about ${seconds(progress.remaining_seconds)} left in this step`,
    LINES[watched.line],
  ];
  const past = watched.steps.filter((each) => each !== progress.step);
  return (
    <>
      <Progress
        label={step(progress.step)}
        value={known ? progress.done / progress.total : undefined}
        note={parts.filter(Boolean).join(" · ")}
      />
      {past.length > 0 && (
        <ul aria-label="Steps that are done" className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-sm text-muted">
          {past.map((each) => (
            <li key={each} className="flex items-center gap-1.5">
              <Check aria-hidden className="size-4 text-success" />
              {step(each)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
