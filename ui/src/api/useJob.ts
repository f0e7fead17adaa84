import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, type Schemas, take } from "./client";
import { follow, type Line } from "./follow";

export type Job = Schemas["JobOut"];
export type Progress = Schemas["JobProgress"];

export const isOpen = (state: string | undefined) => state === "queued" || state === "running";

export interface Watched {
  state: Job["state"];
  progress: Progress | null;
  /** Steps in the order in which they came. */
  steps: string[];
  line: Line;
}

/**
 * The state of a job as it changes. When it ends, everything that the page knows under `refresh` is asked for anew.
 */
export function useJob(projectId: string, job: Job | null | undefined, refresh: readonly unknown[]): Watched | null {
  const client = useQueryClient();
  const [seen, setSeen] = useState<{ id: string; state: Job["state"]; progress: Progress | null; steps: string[] }>();
  const [line, setLine] = useState<Line>("connecting");
  const id = job?.id;
  const open = isOpen(job?.state);
  const refreshed = JSON.stringify(refresh);

  useEffect(() => {
    if (!id || !open) return;
    let state: Job["state"] = "queued";
    setSeen(undefined);
    return follow({
      path: `/api/projects/${projectId}/jobs/${id}/events`,
      after: 0,
      onLine: setLine,
      ended: () => !isOpen(state),
      poll: (after) =>
        take(
          api.GET("/api/projects/{project_id}/jobs/{job_id}/events", {
            params: { path: { project_id: projectId, job_id: id }, query: { after } },
          }),
        ),
      onEvent: (event) => {
        if (event.event === "state") {
          state = event.content["state"] as Job["state"];
          setSeen((before) => ({ steps: [], progress: null, ...before, id, state }));
          if (!isOpen(state)) void client.invalidateQueries({ queryKey: JSON.parse(refreshed) as unknown[] });
          return;
        }
        const progress = event.content as unknown as Progress;
        setSeen((before) => {
          const steps = before?.steps ?? [];
          return {
            id,
            state: "running",
            progress,
            steps: steps.includes(progress.step) ? steps : [...steps, progress.step],
          };
        });
      },
    });
  }, [client, id, open, projectId, refreshed]);

  if (!job) return null;
  const current = seen && seen.id === id && open ? seen : null;
  return {
    state: current?.state ?? job.state,
    progress: current?.progress ?? job.progress,
    steps: current?.steps ?? [],
    line,
  };
}
