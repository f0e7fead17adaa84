import { useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";

import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { PageHead } from "@/parts/Layout";
import { Empty, ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { ago } from "@/format";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

export function Analyses() {
  const { projectId, may } = useProject();
  const list = useQuery(ask.analyses(projectId));
  if (list.isPending) return <Waiting for="Loading the analyses" />;
  if (list.isError) return <ProblemBox error={list.error} onRetry={() => void list.refetch()} />;
  const [only] = list.data.items;
  if (only && list.data.total === 1)
    return (
      <Navigate
        to="/projects/$projectId/analyses/$analysisId"
        params={{ projectId, analysisId: only.id }}
        search={{}}
        replace
      />
    );
  return (
    <>
      <PageHead title="What was found">
        An analysis says what the data are like: structure, relations, distributions.
      </PageHead>
      {list.data.total === 0 ? (
        <Empty
          title="Nothing analysed yet"
          action={
            <ButtonLink look="primary" to="/projects/$projectId/data" params={{ projectId }}>
              To the data
            </ButtonLink>
          }
        >
          {may("datasets.write")
            ? "Open a dataset and press Analyse. It takes seconds for small studies, a minute for large ones."
            : "Somebody who may edit this project starts an analysis from the data."}
        </Empty>
      ) : (
        <ul className="grid gap-3">
          {list.data.items.map((each) => (
            <li key={each.id} className="panel p-4">
              <div className="flex flex-wrap items-center justify-between gap-3">
                <Link
                  to="/projects/$projectId/analyses/$analysisId"
                  params={{ projectId, analysisId: each.id }}
                  search={{}}
                  className="font-semibold link"
                >
                  {each.name}
                </Link>
                <span className="flex items-center gap-3 text-sm text-muted">
                  {ago(each.created_at)}
                  <StateBadge state={each.job.state} />
                </span>
              </div>
              {isOpen(each.job.state) && (
                <div className="mt-3">
                  <JobLine projectId={projectId} job={each.job} refresh={["project", projectId, "analyses"]} />
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
