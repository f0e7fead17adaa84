import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import type { Schemas } from "@/api/client";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";
import { Timeline } from "@/subjects/Timeline";

import { useProject } from "@/projects/Project";

/** Single new subjects over time, with the roles of columns that the analysis of the source found. */
export default function Subjects({
  run,
  tables,
  subject,
  onSubject,
}: {
  run: Schemas["RunOut"];
  tables: Schemas["TableOut"][];
  subject: string | undefined;
  onSubject: (subject: string) => void;
}) {
  const { projectId } = useProject();
  const analyses = useQuery(ask.analyses(projectId));
  const analysis = analyses.data?.items.find((each) => each.dataset_id === run.dataset_id && each.job.state === "done");
  const profile = useQuery({ ...ask.profile(projectId, analysis?.id ?? ""), enabled: Boolean(analysis) });
  const patterns = useQuery({ ...ask.patterns(projectId, analysis?.id ?? ""), enabled: Boolean(analysis) });
  const vocabulary = useQuery({
    ...ask.vocabulary(projectId, run.model_id ?? ""),
    enabled: Boolean(analyses.data && !analysis && run.model_id),
  });
  const error = analyses.error ?? profile.error ?? patterns.error;
  if (error) return <ProblemBox error={error} />;
  const known = profile.data ?? vocabulary.data;
  const roles = patterns.data?.roles ?? vocabulary.data?.roles;
  if (analyses.data && !analysis && !vocabulary.data && !vocabulary.isFetching)
    return (
      <Notice>
        Which columns hold which days is known once the dataset is analysed.{" "}
        {run.dataset_id && (
          <Link
            to="/projects/$projectId/data/$datasetId"
            params={{ projectId, datasetId: run.dataset_id }}
            search={{}}
            className="link"
          >
            To the dataset
          </Link>
        )}
      </Notice>
    );
  if (!known || !roles) return <Waiting for="Loading what was found in the source" />;
  return (
    <Timeline
      base={`/api/projects/${projectId}/runs/${run.id}`}
      tables={tables}
      roles={roles}
      profile={known}
      subject={subject}
      onSubject={onSubject}
    />
  );
}
