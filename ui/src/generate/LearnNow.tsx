import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { Button } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { Notice, ProblemBox } from "@/parts/Notices";
import { type Learning, useLearning } from "@/models/useLearning";

/** Whether rules can hold together is known of a study that is learned: the offer to learn it while the form is open. */
export function LearnNow({ projectId, datasetId, wanted }: { projectId: string; datasetId: string; wanted: Learning }) {
  const client = useQueryClient();
  const { learn, model, key } = useLearning(projectId, datasetId);
  const state = model?.job.state;
  useEffect(() => {
    if (state === "done") void client.invalidateQueries({ queryKey: ["checked", projectId] });
  }, [client, projectId, state]);
  if (model && state !== "done")
    return (
      <div className="panel p-4">
        <JobLine projectId={projectId} job={model.job} refresh={key} />
      </div>
    );
  return (
    <Notice>
      <p>
        Names are checked. Whether what you ask for can be, and holds together, is known once the study is learned: the
        run does that first, or do it now.
      </p>
      {learn.isError && <ProblemBox error={learn.error} />}
      <Button className="mt-2" doing={learn.isPending && "Starting…"} onPress={() => learn.mutate(wanted)}>
        Learn and check now
      </Button>
    </Notice>
  );
}
