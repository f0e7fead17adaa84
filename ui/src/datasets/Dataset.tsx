import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, type Schemas, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, ButtonLink } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { JobLine } from "@/parts/JobLine";
import { Grid, PageHead, Section, Stat, Stats } from "@/parts/Layout";
import { Badge, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { ViewTabs } from "@/parts/ViewTabs";
import { useToasts } from "@/parts/Toasts";
import { bytes, count, number } from "@/format";
import { placeText } from "@/api/problem";
import * as ask from "@/queries";
import { TableView } from "@/tables/TableView";

import { useProject } from "@/projects/Project";

import { Corrupt } from "./Corrupt";
import { Drop } from "./Drop";
import { CutOff, Uploading } from "./Uploading";
import { useUpload } from "./useUpload";

const route = getRouteApi("/inside/projects/$projectId/data/$datasetId");

export function Dataset() {
  const { projectId, may } = useProject();
  const { datasetId } = route.useParams();
  const { view = "files", ...shown } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { fail } = useToasts();
  const upload = useUpload(projectId);
  const found = useQuery(ask.dataset(projectId, datasetId));
  const path = { project_id: projectId, dataset_id: datasetId };
  const number_ = found.data?.latest?.number;
  const tables = useQuery({
    queryKey: ["project", projectId, "datasets", datasetId, "tables", number_],
    enabled: view === "tables" && number_ !== undefined && Boolean(found.data?.latest?.inspection),
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/datasets/{dataset_id}/versions/{number}/tables", {
          params: { path: { ...path, number: number_! } },
        }),
      ),
  });
  const uploads = useQuery({
    queryKey: ["project", projectId, "datasets", datasetId, "uploads"],
    enabled: may("datasets.write"),
    queryFn: () => take(api.GET("/api/projects/{project_id}/datasets/{dataset_id}/uploads", { params: { path } })),
  });
  const begun = uploads.data ?? [];
  const analyse = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/projects/{project_id}/analyses", {
          params: { path: { project_id: projectId } },
          body: { dataset_id: datasetId, urgency: "normal" },
        }),
      ),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["project", projectId, "analyses"] });
      await navigate({
        to: "/projects/$projectId/analyses/$analysisId",
        params: { projectId, analysisId: made.id },
        search: {},
      });
    },
    onError: fail,
  });
  const remove = useMutation({
    mutationFn: (name: string) =>
      take(
        api.POST("/api/projects/{project_id}/datasets/{dataset_id}/versions", {
          params: { path },
          body: { uploads: [], replace: false, remove: [name] },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["project", projectId, "datasets"] }),
    onError: fail,
  });

  if (found.isPending) return <Waiting for="Loading the dataset" />;
  if (found.isError) return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  const dataset = found.data;
  const version = dataset.latest;
  const inspection = version?.inspection;
  const usable = Boolean(inspection?.usable);

  return (
    <>
      <PageHead
        title={dataset.name}
        actions={
          usable && (
            <>
              {may("datasets.write") && (
                <Button look="primary" doing={analyse.isPending && "Starting…"} onPress={() => analyse.mutate()}>
                  Analyse
                </Button>
              )}
              {may("runs.write") && (
                <ButtonLink to="/projects/$projectId/generate" params={{ projectId }} search={{ dataset: datasetId }}>
                  Generate subjects
                </ButtonLink>
              )}
              {may("runs.write") && <Corrupt projectId={projectId} datasetId={datasetId} />}
            </>
          )
        }
      >
        {dataset.description}
      </PageHead>
      {version?.job && isOpen(version.job.state) && (
        <div className="panel mb-6 p-4">
          <JobLine projectId={projectId} job={version.job} refresh={["project", projectId, "datasets"]} />
        </div>
      )}
      {version?.job?.state === "failed" && (
        <div className="mb-6">
          <JobLine projectId={projectId} job={version.job} refresh={["project", projectId, "datasets"]} />
        </div>
      )}
      {inspection && (
        <Stats>
          <Stat label="Standard" value={inspection.standard ?? "None seen"} note={inspection.study} />
          <Stat label="Subjects" value={inspection.subjects === null ? "–" : number(inspection.subjects)} />
          <Stat label="Rows" value={number(inspection.rows)} />
          <Stat label="Tables" value={number(inspection.files.flatMap((file) => file.tables).length)} />
          <Stat label="Size" value={bytes(version.size)} note={`version ${version.number}`} />
        </Stats>
      )}
      {inspection && inspection.problems.length > 0 && (
        <Section title={count(inspection.problems.length, "problem")}>
          <ul className="grid gap-2">
            {inspection.problems.map((problem, at) => (
              <li key={at}>
                <Notice tone="warning">
                  <p className="font-medium break-words">{problem.message}</p>
                  {placeText(problem.place) && <p className="text-sm">Where: {placeText(problem.place)}.</p>}
                  {problem.hint && <p className="text-sm">What to do: {problem.hint}</p>}
                </Notice>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {inspection && inspection.notes.length > 0 && (
        <div className="mb-6">
          <Notice>
            <ul className="grid gap-1">
              {inspection.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Notice>
        </div>
      )}
      <ViewTabs
        label="Views of the dataset"
        views={[
          [undefined, "Files"],
          ["tables", "Look at the rows"],
        ]}
      />
      {view === "tables" &&
        (tables.data ? (
          <TableView
            base={`/api/projects/${projectId}/datasets/${datasetId}/versions/${number_}`}
            tables={tables.data}
            shown={shown}
            onShow={(change) =>
              void navigate({
                to: "/projects/$projectId/data/$datasetId",
                params: { projectId, datasetId },
                search: (old) => ({ ...old, ...change }),
                replace: !("table" in change),
              })
            }
          />
        ) : tables.isError ? (
          <ProblemBox error={tables.error} />
        ) : (
          <Waiting for="Loading the tables" />
        ))}
      {view === "files" && (
        <>
          {version && (
            <Files
              version={version}
              onRemove={may("datasets.write") ? (name) => remove.mutate(name) : null}
              busy={remove.isPending}
            />
          )}
          {may("datasets.write") && (
            <Section title={version ? "Add or replace files" : "Upload files"}>
              {version && (
                <p className="mb-2 text-muted">Files of the same name are replaced; the result is a new version.</p>
              )}
              {!upload.busy && begun.length > 0 && <CutOff begun={begun} />}
              {!upload.busy && (
                <Drop compact={Boolean(version)} onFiles={(files) => void upload.start(datasetId, files)} />
              )}
              <Uploading {...upload} onStop={upload.stop} />
            </Section>
          )}
          {may("datasets.write") && (
            <Confirm
              text="Delete the dataset"
              title="Delete the dataset for good?"
              doing="Deleting…"
              onConfirm={async () => {
                await take(api.DELETE("/api/projects/{project_id}/datasets/{dataset_id}", { params: { path } }));
                await navigate({ to: "/projects/$projectId/data", params: { projectId } });
                await client.invalidateQueries({ queryKey: ["project", projectId] });
              }}
            >
              Its {count(dataset.versions, "version")}, files and analyses are deleted for good. Runs and models made
              from it stay.
            </Confirm>
          )}
        </>
      )}
    </>
  );
}

function Files({
  version,
  onRemove,
  busy,
}: {
  version: Schemas["VersionOut"];
  onRemove: ((name: string) => void) | null;
  busy: boolean;
}) {
  const found = new Map(version.inspection?.files.map((file) => [file.file, file]));
  return (
    <Section title={`${count(version.files.length, "file")} in version ${version.number}`}>
      <Grid label="Files" head={["File", "Recognised as", "Rows", "Columns", "Subjects", "Size", ""]}>
        {version.files.map((file) => {
          const seen = found.get(file.name);
          const tables = seen?.tables ?? [];
          return (
            <tr key={file.name}>
              <th scope="row" className="min-w-36 break-words">
                {file.name}
              </th>
              <td>
                {seen?.problem && <Badge tone="bad">Cannot be read</Badge>}
                {seen?.problem && (
                  <p className="mt-1 max-w-md text-sm">
                    {seen.problem.message}
                    {placeText({ ...seen.problem.place, file: null }) &&
                      ` (${placeText({ ...seen.problem.place, file: null })})`}
                  </p>
                )}
                {tables.length === 0 && !seen?.problem && (
                  <span className="text-muted">{seen ? "no table" : "not looked into yet"}</span>
                )}
                {tables.map((table) => (
                  <span key={table.table} className="block whitespace-nowrap">
                    <span className="font-medium">{table.domain ?? table.table}</span>
                    {table.label && <span className="text-muted"> {table.label}</span>}
                  </span>
                ))}
              </td>
              {(["rows", "columns", "subjects"] as const).map((what) => (
                <td key={what} className="numbers">
                  {tables.map((table) => (
                    <span key={table.table} className="block">
                      {table[what] === null ? "–" : number(table[what])}
                    </span>
                  ))}
                </td>
              ))}
              <td className="numbers whitespace-nowrap">{bytes(file.size)}</td>
              <td className="text-right">
                {onRemove && version.files.length > 1 && (
                  <Button look="quiet" isDisabled={busy} onPress={() => onRemove(file.name)}>
                    Remove<span className="sr-only"> {file.name}</span>
                  </Button>
                )}
              </td>
            </tr>
          );
        })}
      </Grid>
    </Section>
  );
}
