import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";

import { api, take } from "@/api/client";
import { ButtonLink } from "@/parts/Button";
import { Empty, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { Configure } from "./Configure";
import { requestOf, START } from "./request";
import { sourcesOf } from "./source";

const route = getRouteApi("/inside/projects/$projectId/generate");

export function Generate() {
  const { projectId, may } = useProject();
  const { dataset: wanted, model, again } = route.useSearch();
  const datasets = useQuery(ask.datasets(projectId));
  const before = useQuery({ ...ask.run(projectId, again ?? ""), enabled: Boolean(again) });
  const mine = useQuery({
    queryKey: ["mine"],
    queryFn: () => take(api.GET("/api/settings/mine")),
    staleTime: 60_000,
  });
  const models = useQuery(ask.models(projectId));
  const usable = sourcesOf(datasets.data?.items ?? [], models.data?.items ?? []);

  if (!may("runs.write")) return <Notice>Your role in this project lets you look at runs, not start them.</Notice>;
  if (datasets.isError) return <ProblemBox error={datasets.error} />;
  if (before.isError) return <ProblemBox error={before.error} />;
  if (mine.isError) return <ProblemBox error={mine.error} />;
  if (models.isError) return <ProblemBox error={models.error} />;
  if (!datasets.data || !models.data || !mine.data || (again && !before.data))
    return <Waiting for="Loading what can be asked for" />;
  if (usable.length === 0)
    return (
      <Empty
        title="First the data"
        action={
          <ButtonLink look="primary" to="/projects/$projectId/data" params={{ projectId }}>
            Upload a study
          </ButtonLink>
        }
      >
        New subjects are made after the example of a study. Upload its files, or take the sample study.
      </Empty>
    );
  const first = before.data?.dataset_id ?? before.data?.model_id ?? model ?? wanted;
  const asked = usable.find((each) => each.id === first);
  // What is known of the data may be from before they were looked into.
  if (first && !asked && (datasets.isFetching || models.isFetching))
    return <Waiting for="Loading what can be asked for" />;
  const chosen = asked ?? usable[0]!;
  const limits = mine.data;
  const start = before.data
    ? requestOf((before.data.request["document"] as Record<string, unknown> | undefined) ?? before.data.request)
    : {
        request: {
          ...START,
          subjects: limits.defaults.subjects ?? START.subjects,
          format: limits.defaults.format ?? START.format,
        },
        left: [],
      };
  return (
    <Configure
      key={again ?? "new"}
      usable={usable}
      first={chosen.id}
      start={start}
      name={ownName(before.data?.name ?? "")}
    />
  );
}

/** A name that somebody gave: those that the service finds say a number of subjects, which may change. */
const ownName = (name: string) => (/, [\d,]+ subjects$/.test(name) ? "" : name);
