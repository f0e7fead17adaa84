import { useQuery } from "@tanstack/react-query";

import { api, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { count } from "@/format";
import type { Explanation } from "@/queries";

import { correctionText, useCorrections } from "@/generate/corrections";
import { SinceEarlier } from "@/models/Since";
import { useLearning } from "@/models/useLearning";
import { useProject } from "@/projects/Project";

import { differences } from "./differences";

/** The corrections noted so far, and learning the study anew with them at once: what became different is told. */
export function Relearn({ datasetId, before }: { datasetId: string; before: Explanation }) {
  const { projectId, may } = useProject();
  const noted = useCorrections(projectId);
  const { learn, learned, model, key } = useLearning(projectId, datasetId);
  const done = model?.job.state === "done";
  const after = useQuery({
    queryKey: [...key, model?.id, "explanation"],
    enabled: done,
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/models/{model_id}/explanation", {
          params: { path: { project_id: projectId, model_id: model!.id } },
        }),
      )) as unknown as Explanation,
  });
  if (noted.corrections.length === 0 || !may("runs.write")) return null;
  const current = learned !== undefined && JSON.stringify(learned.corrections) === JSON.stringify(noted.corrections);
  return (
    <section aria-label="Corrections" className="panel mb-6 p-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-base">{count(noted.corrections.length, "correction")} noted</h2>
        {may("models.write") && !current && (
          <Button
            look="primary"
            doing={learn.isPending && "Starting…"}
            onPress={() => learn.mutate({ corrections: noted.corrections })}
          >
            Learn again with {noted.corrections.length === 1 ? "it" : "them"}
          </Button>
        )}
      </div>
      <ul className="my-2 grid gap-1">
        {noted.corrections.map((each) => (
          <li key={JSON.stringify(each)} className="flex items-center justify-between gap-3">
            <span className="font-mono text-sm break-words">{correctionText(each)}</span>
            <Button
              look="quiet"
              onPress={() => noted.set(noted.corrections.filter((one) => JSON.stringify(one) !== JSON.stringify(each)))}
            >
              Take back<span className="sr-only"> {correctionText(each)}</span>
            </Button>
          </li>
        ))}
      </ul>
      {learn.isError && <ProblemBox error={learn.error} />}
      {current && model && (isOpen(model.job.state) || model.job.state === "failed") && (
        <JobLine projectId={projectId} job={model.job} refresh={key} />
      )}
      {current && done && (
        <div className="border-t border-line pt-3">
          {after.isPending && <Waiting for="Comparing with what was found before" />}
          {after.isError && <ProblemBox error={after.error} />}
          {after.data && (
            <>
              <p className="font-medium">
                Learned anew: {model.name}, version {model.number}.
              </p>
              <div className="mb-2">
                <SinceEarlier model={model} />
              </div>
              <Changes before={before} after={after.data} />
              <ButtonLink
                className="mt-3"
                to="/projects/$projectId/generate"
                params={{ projectId }}
                search={{ model: model.id }}
              >
                Generate from it
              </ButtonLink>
            </>
          )}
        </div>
      )}
      {!current && (
        <p className="text-sm text-muted">
          Every run from this dataset takes them along. Learning again shows at once what they change; only what depends
          on them is learned.
        </p>
      )}
    </section>
  );
}

function Changes({ before, after }: { before: Explanation; after: Explanation }) {
  const found = differences(before, after);
  if (found.length === 0) return <p className="text-muted">Nothing else changed but what you said.</p>;
  return (
    <ul aria-label="What became different" className="grid gap-1 text-sm">
      {found.slice(0, 40).map((each) => (
        <li key={each} className="break-words">
          {each}
        </li>
      ))}
      {found.length > 40 && <li className="text-muted">and {count(found.length - 40, "more difference")}</li>}
    </ul>
  );
}
