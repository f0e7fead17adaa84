import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Upload } from "lucide-react";
import { FileTrigger } from "react-aria-components";

import { api, raw, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, ButtonLink, buttonClass } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { PageHead } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago, count } from "@/format";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { SinceEarlier } from "./Since";

/** What was learned, as documents that can be taken elsewhere and brought here. */
export function Models() {
  const { projectId, may } = useProject();
  const client = useQueryClient();
  const { fail } = useToasts();
  const key = ["project", projectId, "models"];
  const models = useQuery(ask.models(projectId));
  const bring = useMutation({
    mutationFn: (file: File) =>
      raw(
        `/api/projects/${projectId}/models/import?name=${encodeURIComponent(file.name.replace(/\.json$/, "") || "model")}`,
        {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: file,
        },
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
    onError: fail,
  });
  const remove = useMutation({
    mutationFn: (model_id: string) =>
      take(
        api.DELETE("/api/projects/{project_id}/models/{model_id}", {
          params: { path: { project_id: projectId, model_id } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
    onError: fail,
  });
  const importing = may("models.write") && (
    <FileTrigger
      acceptedFileTypes={["application/json", ".json"]}
      onSelect={(list) => list?.[0] && bring.mutate(list[0])}
    >
      <Button doing={bring.isPending && "Importing…"}>
        <Upload aria-hidden className="size-4" /> Import a model
      </Button>
    </FileTrigger>
  );
  if (models.isPending) return <Waiting for="Loading the models" />;
  if (models.isError) return <ProblemBox error={models.error} onRetry={() => void models.refetch()} />;
  return (
    <>
      <PageHead title="Models" actions={models.data.items.length > 0 && importing}>
        What was learned of a study: structure and statistics, no row of it. One JSON document, to keep, to share, to
        generate from.
      </PageHead>
      {models.data.items.length === 0 && (
        <Empty title="No model yet" action={importing}>
          The first run of a dataset learns its model. Or import one that was exported here or made by the command line.
        </Empty>
      )}
      <ul className="grid gap-3">
        {models.data.items.map((model) => {
          const summary = model.summary as { subjects: number; tables: unknown[]; notes: string[] } | null;
          return (
            <li key={model.id} className="panel p-4">
              <div className="flex flex-wrap items-center justify-between gap-3">
                <div className="min-w-0">
                  <h2 className="text-base break-words">
                    {model.name} <span className="font-normal text-muted">version {model.number}</span>
                  </h2>
                  <p className="text-sm text-muted">
                    {summary &&
                      `${count(summary.subjects, "subject")} learned, ${count(summary.tables.length, "table")} · `}
                    {ago(model.created_at)} {model.origin === "imported" && <Badge>imported</Badge>}
                  </p>
                </div>
                {model.job.state === "done" && (
                  <span className="flex flex-wrap gap-2">
                    {may("models.write") && (
                      <Button look="quiet" onPress={() => remove.mutate(model.id)}>
                        Delete<span className="sr-only"> {model.name}</span>
                      </Button>
                    )}
                    <a
                      className={buttonClass("secondary")}
                      href={`/api/projects/${projectId}/models/${model.id}/document`}
                      download
                    >
                      <Download aria-hidden className="size-4" /> Export<span className="sr-only"> {model.name}</span>
                    </a>
                    {may("runs.write") && (
                      <ButtonLink
                        look="primary"
                        to="/projects/$projectId/generate"
                        params={{ projectId }}
                        search={{ model: model.id }}
                      >
                        Generate from it
                      </ButtonLink>
                    )}
                  </span>
                )}
              </div>
              {model.job.state === "done" && model.origin === "learned" && (
                <div className="mt-2">
                  <SinceEarlier model={model} />
                </div>
              )}
              {(isOpen(model.job.state) || model.job.state === "failed") && (
                <div className="mt-3">
                  <JobLine projectId={projectId} job={model.job} refresh={key} />
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}
