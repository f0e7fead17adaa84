import { useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus, Send } from "lucide-react";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { isOpen } from "@/api/useJob";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { NumberField, Select, TextField } from "@/parts/Fields";
import { JobLine } from "@/parts/JobLine";
import { Section } from "@/parts/Layout";
import { ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago } from "@/format";

import { useProject } from "@/projects/Project";

import { type Kind, KINDS, placeOf, startOf } from "./targets";

const route = getRouteApi("/inside/projects/$projectId/runs/$runId");
/** Targets of the project: set up, tested, and the run pushed to them. */
export function Push() {
  const { projectId, may } = useProject();
  const { runId } = route.useParams();
  const path = { project_id: projectId };
  const key = ["project", projectId, "targets"];
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const [making, setMaking] = useState(false);
  const targets = useQuery({
    queryKey: key,
    queryFn: () => take(api.GET("/api/projects/{project_id}/targets", { params: { path } })),
  });
  const pushes = useQueries({
    queries: (targets.data ?? []).map(({ id }) => ({
      queryKey: [...key, id, "pushes"],
      queryFn: () =>
        take(
          api.GET("/api/projects/{project_id}/targets/{target_id}/pushes", {
            params: { path: { ...path, target_id: id } },
          }),
        ),
    })),
  });
  const test = useMutation({
    mutationFn: (target_id: string) =>
      take(
        api.POST("/api/projects/{project_id}/targets/{target_id}/test", { params: { path: { ...path, target_id } } }),
      ),
    onSuccess: (answer) => (answer.ok ? tell(answer.detail) : fail(new Error(answer.detail))),
    onError: fail,
  });
  const push = useMutation({
    mutationFn: (target_id: string) =>
      take(
        api.POST("/api/projects/{project_id}/targets/{target_id}/pushes", {
          params: { path: { ...path, target_id } },
          body: { run_id: runId },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
    onError: fail,
  });
  const remove = useMutation({
    mutationFn: (target_id: string) =>
      take(api.DELETE("/api/projects/{project_id}/targets/{target_id}", { params: { path: { ...path, target_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
    onError: fail,
  });
  const mayWrite = may("targets.write");
  return (
    <Section
      title="Push to another system"
      actions={
        mayWrite && (
          <Button onPress={() => setMaking(true)}>
            <Plus aria-hidden className="size-4" /> New target
          </Button>
        )
      }
    >
      {targets.isPending && <Waiting for="Loading the targets" />}
      {targets.isError && <ProblemBox error={targets.error} />}
      {targets.data?.length === 0 && (
        <p className="text-muted">
          {mayWrite
            ? "No target yet. A target is another system that takes the data: an HTTP endpoint, S3 storage, PostgreSQL, REDCap, an SFTP server, or an EDC that takes ODM-XML."
            : "No target yet. Managers and administrators who may edit this project set them up."}
        </p>
      )}
      <ul className="grid gap-3">
        {targets.data?.map((target, at) => (
          <li key={target.id} className="panel p-4">
            <div className="flex flex-wrap items-center justify-between gap-3">
              <p className="min-w-0">
                <span className="font-medium">{target.name}</span>
                <span className="block text-sm break-all text-muted">
                  {KINDS[target.kind].text} · {placeOf(target)}
                </span>
              </p>
              {mayWrite && (
                <span className="flex flex-wrap gap-2">
                  <Button look="quiet" onPress={() => remove.mutate(target.id)}>
                    Delete<span className="sr-only"> {target.name}</span>
                  </Button>
                  <Button
                    doing={test.isPending && test.variables === target.id && "Testing…"}
                    onPress={() => test.mutate(target.id)}
                  >
                    Test<span className="sr-only"> {target.name}</span>
                  </Button>
                  <Button
                    look="primary"
                    doing={push.isPending && push.variables === target.id && "Asking…"}
                    onPress={() => push.mutate(target.id)}
                  >
                    <Send aria-hidden className="size-4" /> Push this run
                    <span className="sr-only"> to {target.name}</span>
                  </Button>
                </span>
              )}
            </div>
            {pushes[at]?.data
              ?.filter((each) => each.run_id === runId)
              .slice(0, 3)
              .map((each) => (
                <div key={each.id} className="mt-3 border-t border-line pt-3">
                  {isOpen(each.job.state) || each.job.state === "failed" ? (
                    <JobLine projectId={projectId} job={each.job} refresh={key} />
                  ) : (
                    <p className="flex items-center gap-3 text-sm text-muted">
                      <StateBadge state={each.job.state} /> pushed {ago(each.created_at)}
                    </p>
                  )}
                </div>
              ))}
          </li>
        ))}
      </ul>
      <NewTarget isOpen={making} onClose={() => setMaking(false)} />
    </Section>
  );
}

function NewTarget({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { projectId } = useProject();
  const client = useQueryClient();
  const [kind, setKind] = useState<Kind>("http");
  const [name, setName] = useState("");
  const [options, setOptions] = useState(startOf("http"));
  const [secret, setSecret] = useState("");
  const make = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/projects/{project_id}/targets", {
          params: { path: { project_id: projectId } },
          body: { name, kind, options: options as unknown as Schemas["HttpOptions"], secret: secret || null },
        }),
      ),
    onSuccess: async () => {
      setSecret("");
      await client.invalidateQueries({ queryKey: ["project", projectId, "targets"] });
      onClose();
    },
  });
  const set = (field: string, value: string | number) => setOptions((old) => ({ ...old, [field]: value }));
  return (
    <Dialog title="New target" isOpen={isOpen} onClose={onClose}>
      <Form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextField label="Name" isRequired autoFocus value={name} onChange={setName} />
        <Select
          label="Kind"
          options={(Object.keys(KINDS) as Kind[]).map((value) => ({
            value,
            text: KINDS[value].text,
            help: KINDS[value].help,
          }))}
          value={kind}
          onChange={(value) => {
            setKind(value);
            setOptions(startOf(value));
          }}
        />
        {KINDS[kind].fields.map((field) =>
          field.choices ? (
            <Select
              key={field.name}
              label={field.label}
              options={field.choices}
              value={String(options[field.name])}
              onChange={(value) => set(field.name, value)}
            />
          ) : typeof field.start === "number" ? (
            <NumberField
              key={field.name}
              label={field.label}
              minValue={1}
              formatOptions={{ useGrouping: false }}
              value={Number(options[field.name])}
              onChange={(value) => set(field.name, value || field.start)}
            />
          ) : (
            <TextField
              key={field.name}
              label={field.label}
              help={field.help}
              isRequired={!field.optional}
              value={String(options[field.name])}
              onChange={(value) => set(field.name, value)}
            />
          ),
        )}
        <TextField
          label={KINDS[kind].secret}
          type="password"
          autoComplete="off"
          value={secret}
          onChange={setSecret}
          help="Kept encrypted, never shown again."
        />
        {make.isError && <ProblemBox error={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" look="primary" doing={make.isPending && "Setting up…"}>
            Set up the target
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
