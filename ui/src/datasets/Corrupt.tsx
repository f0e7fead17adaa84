import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { NumberField, Select } from "@/parts/Fields";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { formatWords } from "@/generate/formats";

type Format = NonNullable<Schemas["CorruptionNew"]["format"]>;

/** The dataset itself with faults in known places: a run of its own, with the key of answers. */
export function Corrupt({ projectId, datasetId }: { projectId: string; datasetId: string }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [profile, setProfile] = useState("light");
  const [seed, setSeed] = useState(0);
  const [format, setFormat] = useState("same");
  const choices = useQuery({
    queryKey: ["choices"],
    queryFn: () => take(api.GET("/api/choices")),
    staleTime: Infinity,
    enabled: open,
  });
  const start = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/projects/{project_id}/runs/corrupt", {
          params: { path: { project_id: projectId } },
          body: {
            dataset_id: datasetId,
            plan: { include: profile },
            seed,
            format: format as Format,
            urgency: "normal",
          },
        }),
      ),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["project", projectId, "runs"] });
      await navigate({ to: "/projects/$projectId/runs/$runId", params: { projectId, runId: made.id }, search: {} });
    },
  });
  return (
    <>
      <Button onPress={() => setOpen(true)}>Put faults in</Button>
      <Dialog title="A copy with faults" isOpen={open} onClose={() => setOpen(false)}>
        <Form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            start.mutate();
          }}
        >
          <p className="text-muted">
            The files as they are, with errors in known places, and a key that says where and what was there before: a
            test for the system that is to find them.
          </p>
          {choices.isPending && <Waiting for="Loading the profiles" />}
          {choices.isError && <ProblemBox error={choices.error} />}
          {choices.data && (
            <>
              <Select
                label="Profile"
                options={choices.data.profiles.map((each) => ({
                  value: each.name,
                  text: each.name.replaceAll("-", " "),
                  help: each.summary,
                }))}
                value={profile}
                onChange={setProfile}
              />
              <NumberField
                label="Seed"
                minValue={0}
                formatOptions={{ useGrouping: false }}
                value={seed}
                onChange={(value) => setSeed(value || 0)}
              />
              <Select
                label="Format"
                options={choices.data.formats.map((value) => ({ value, text: formatWords(value) }))}
                value={format}
                onChange={setFormat}
              />
            </>
          )}
          {start.isError && <ProblemBox error={start.error} />}
          <div className="flex justify-end gap-2">
            <Button onPress={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" look="primary" isDisabled={!choices.data} doing={start.isPending && "Starting…"}>
              Put faults in
            </Button>
          </div>
        </Form>
      </Dialog>
    </>
  );
}
