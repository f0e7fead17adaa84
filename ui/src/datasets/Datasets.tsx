import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FlaskConical } from "lucide-react";
import { useState } from "react";

import { api, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import { JobLine } from "@/parts/JobLine";
import { PageHead, Section } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago, bytes, count } from "@/format";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { Drop } from "./Drop";
import { Uploading } from "./Uploading";
import { useUpload } from "./useUpload";

/** A name out of what was dropped: the folder's or the only file's, else the project's. */
export function nameOf(files: File[], fallback: string): string {
  const folder = files[0]?.webkitRelativePath?.split("/")[0];
  if (folder) return folder;
  if (files.length === 1) return files[0]!.name.replace(/\.[^.]+$/, "");
  return fallback;
}

export function Datasets() {
  const { projectId, project, may } = useProject();
  const list = useQuery(ask.datasets(projectId));
  const client = useQueryClient();
  const navigate = useNavigate();
  const { fail } = useToasts();
  const upload = useUpload(projectId);
  const [name, setName] = useState("");
  const [sampling, setSampling] = useState(false);
  const path = { project_id: projectId };

  const receive = async (files: File[]) => {
    try {
      const dataset = await take(
        api.POST("/api/projects/{project_id}/datasets", {
          params: { path },
          body: { name: name.trim() || nameOf(files, `Data of ${project.name}`), description: "" },
        }),
      );
      const sent = await upload.start(dataset.id, files);
      if (sent !== "refused")
        await navigate({
          to: "/projects/$projectId/data/$datasetId",
          params: { projectId, datasetId: dataset.id },
          search: {},
        });
      else
        await take(
          api.DELETE("/api/projects/{project_id}/datasets/{dataset_id}", {
            params: { path: { ...path, dataset_id: dataset.id } },
          }),
        );
    } catch (error) {
      fail(error);
    }
  };

  const sample = async () => {
    setSampling(true);
    try {
      const made = await take(api.POST("/api/projects/{project_id}/datasets/sample", { params: { path } }));
      await client.invalidateQueries({ queryKey: ["project", projectId, "datasets"] });
      await navigate({
        to: "/projects/$projectId/data/$datasetId",
        params: { projectId, datasetId: made.id },
        search: {},
      });
    } catch (error) {
      fail(error);
    } finally {
      setSampling(false);
    }
  };

  return (
    <>
      <PageHead title="Data">
        The files of existing studies. They stay here and are never part of what is generated.
      </PageHead>
      {list.isPending && <Waiting for="Loading the datasets" />}
      {list.isError && <ProblemBox error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && list.data.items.length > 0 && (
        <Section title="Datasets">
          <ul className="grid gap-3 lg:grid-cols-2">
            {list.data.items.map((each) => (
              <li key={each.id} className="panel p-4">
                <div className="flex flex-wrap items-start justify-between gap-2">
                  <Link
                    to="/projects/$projectId/data/$datasetId"
                    params={{ projectId, datasetId: each.id }}
                    search={{}}
                    className="text-lg font-semibold link"
                  >
                    {each.name}
                  </Link>
                  {each.latest?.inspection && (
                    <Badge tone={each.latest.inspection.usable ? "good" : "bad"}>
                      {each.latest.inspection.usable ? (each.latest.inspection.standard ?? "Ready") : "Needs attention"}
                    </Badge>
                  )}
                </div>
                <p className="mt-1 text-muted">
                  {each.latest?.inspection
                    ? [
                        count(each.latest.inspection.files.flatMap((file) => file.tables).length, "table"),
                        count(each.latest.inspection.rows, "row"),
                        each.latest.inspection.subjects !== null && count(each.latest.inspection.subjects, "subject"),
                        bytes(each.latest.size),
                        `changed ${ago(each.updated_at)}`,
                      ]
                        .filter(Boolean)
                        .join(" · ")
                    : each.latest
                      ? `${count(each.latest.files.length, "file")} · ${bytes(each.latest.size)}`
                      : "No files yet"}
                </p>
                {each.latest?.job && isOpen(each.latest.job.state) && (
                  <div className="mt-3">
                    <JobLine projectId={projectId} job={each.latest.job} refresh={["project", projectId, "datasets"]} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {list.data && may("datasets.write") && (
        <Section title={list.data.items.length ? "Another dataset" : "Upload a study"}>
          <TextField
            label="Name of the dataset"
            className="mb-3 max-w-md"
            placeholder="The name of the folder or file"
            value={name}
            onChange={setName}
            isDisabled={upload.busy}
          />
          {!upload.busy && <Drop onFiles={(files) => void receive(files)} />}
          <Uploading {...upload} onStop={upload.stop} />
          <div className="mt-4 flex flex-wrap items-center gap-3 text-muted">
            No data at hand?
            <Button doing={sampling && "Taking it in…"} onPress={() => void sample()}>
              <FlaskConical aria-hidden className="size-4" /> Take the sample study
            </Button>
          </div>
        </Section>
      )}
      {list.data && list.data.items.length === 0 && !may("datasets.write") && (
        <Empty title="No data yet">Somebody who may edit this project uploads the files of a study here.</Empty>
      )}
    </>
  );
}
