import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useState } from "react";

import { api, type Schemas, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button, buttonClass } from "@/parts/Button";
import { Select } from "@/parts/Fields";
import { JobLine } from "@/parts/JobLine";
import { Grid, Section } from "@/parts/Layout";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { formatWords } from "@/generate/formats";
import { bytes, count } from "@/format";

import { useProject } from "@/projects/Project";

import { Push } from "./Push";

const route = getRouteApi("/inside/projects/$projectId/runs/$runId");
type Format = Schemas["ExportNew"]["format"];
const FORMATS: Format[] = ["xpt", "csv", "parquet", "xlsx", "dataset-json", "json", "ndjson", "tsv", "duckdb"];

/** The files of a run as they are, and in every other format. */
export function Downloads() {
  const { projectId } = useProject();
  const { runId } = route.useParams();
  const path = { project_id: projectId, run_id: runId };
  const key = ["project", projectId, "runs", runId, "exports"];
  const base = `/api/projects/${projectId}/runs/${runId}`;
  const client = useQueryClient();
  const [format, setFormat] = useState<Format>("xpt");
  const files = useQuery({
    queryKey: ["project", projectId, "runs", runId, "files"],
    staleTime: Infinity,
    queryFn: () => take(api.GET("/api/projects/{project_id}/runs/{run_id}/files", { params: { path } })),
  });
  const exports = useQuery({
    queryKey: key,
    queryFn: () => take(api.GET("/api/projects/{project_id}/runs/{run_id}/exports", { params: { path } })),
  });
  const convert = useMutation({
    mutationFn: () =>
      take(api.POST("/api/projects/{project_id}/runs/{run_id}/exports", { params: { path }, body: { format } })),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
  return (
    <>
      <Section title="In another format">
        <div className="flex flex-wrap items-end gap-3">
          <Select
            label="Format"
            className="w-64"
            options={FORMATS.map((value) => ({ value, text: formatWords(value) }))}
            value={format}
            onChange={setFormat}
          />
          <Button doing={convert.isPending && "Asking…"} onPress={() => convert.mutate()}>
            Convert
          </Button>
        </div>
        {convert.isError && (
          <div className="mt-3">
            <ProblemBox error={convert.error} />
          </div>
        )}
        {exports.isError && <ProblemBox error={exports.error} />}
        <ul className="mt-4 grid gap-3">
          {exports.data?.map((each) => (
            <li key={each.id} className="panel p-4">
              <div className="flex flex-wrap items-center justify-between gap-3">
                <p className="font-medium">
                  {formatWords(each.format)}
                  {each.files.length > 0 && (
                    <span className="font-normal text-muted">
                      {" "}
                      · {count(each.files.length, "file")} ·{" "}
                      {bytes(each.files.reduce((sum, file) => sum + file.size, 0))}
                    </span>
                  )}
                </p>
                {each.job.state === "done" && (
                  <a className={buttonClass("secondary")} href={`${base}/exports/${each.id}/archive`}>
                    <Download aria-hidden className="size-4" /> All as a zip
                  </a>
                )}
              </div>
              {(isOpen(each.job.state) || each.job.state === "failed") && (
                <div className="mt-2">
                  <JobLine projectId={projectId} job={each.job} refresh={key} />
                </div>
              )}
              {each.files.length > 0 && (
                <details className="mt-2">
                  <summary className="cursor-pointer text-accent">Single files</summary>
                  <ul className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
                    {each.files.map((file) => (
                      <li key={file.name}>
                        <a
                          className="link"
                          href={`${base}/exports/${each.id}/files/${encodeURIComponent(file.name)}`}
                          download
                        >
                          {file.name}
                        </a>{" "}
                        <span className="numbers text-sm text-muted">{bytes(file.size)}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </li>
          ))}
        </ul>
      </Section>
      <Push />
      <Section
        title="Files as they were made"
        actions={
          <a className={buttonClass("secondary")} href={`${base}/archive`}>
            <Download aria-hidden className="size-4" /> All as a zip
          </a>
        }
      >
        {files.isPending && <Waiting for="Listing the files" />}
        {files.isError && <ProblemBox error={files.error} />}
        {files.data && (
          <Grid label="Files" head={["File", "Size", ""]}>
            {files.data.map((file) => (
              <tr key={file.name}>
                <th scope="row" className="min-w-36 break-words">
                  {file.name}
                </th>
                <td className="numbers whitespace-nowrap">{bytes(file.size)}</td>
                <td className="text-right">
                  <a
                    className="link"
                    href={`${base}/files/${file.name.split("/").map(encodeURIComponent).join("/")}`}
                    download
                  >
                    Download<span className="sr-only"> {file.name}</span>
                  </a>
                </td>
              </tr>
            ))}
          </Grid>
        )}
      </Section>
    </>
  );
}
