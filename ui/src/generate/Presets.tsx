import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark, Trash2 } from "lucide-react";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { TextField } from "@/parts/Fields";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago } from "@/format";

import type { Document } from "./request";

type Preset = Schemas["PresetOut"];

/** Requests that the project keeps under a name: start from one, keep the one at hand. */
export function Presets({
  projectId,
  document,
  onStart,
}: {
  projectId: string;
  document: Document;
  onStart: (preset: Preset) => void;
}) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const queryKey = ["project", projectId, "presets"];
  const path = { project_id: projectId };
  const presets = useQuery({
    queryKey,
    enabled: open,
    queryFn: () => take(api.GET("/api/projects/{project_id}/presets", { params: { path } })),
  });
  const put = (preset: { name: string; document: Document }) =>
    take(api.PUT("/api/projects/{project_id}/presets", { params: { path }, body: preset }));
  const keep = useMutation({
    mutationFn: put,
    onSuccess: async (kept) => {
      setName("");
      tell(`Kept as ${kept.name}. All members of the project can start from it.`);
      await client.invalidateQueries({ queryKey });
    },
  });
  const remove = useMutation({
    mutationFn: async (preset: Preset) => {
      await take(
        api.DELETE("/api/projects/{project_id}/presets/{preset_id}", {
          params: { path: { ...path, preset_id: preset.id } },
        }),
      );
      return preset;
    },
    onSuccess: async (gone) => {
      tell(`${gone.name} is deleted.`, {
        text: "Undo",
        run: () => void put(gone).then(() => client.invalidateQueries({ queryKey }), fail),
      });
      await client.invalidateQueries({ queryKey });
    },
    onError: fail,
  });
  return (
    <>
      <Button onPress={() => setOpen(true)}>
        <Bookmark aria-hidden className="size-4" /> Presets
      </Button>
      <Dialog title="Presets" isOpen={open} onClose={() => setOpen(false)}>
        <p className="mb-3 text-muted">Requests of this project under a name: to ask for the same, or nearly.</p>
        {presets.isPending && <Waiting for="Loading the presets" />}
        {presets.isError && <ProblemBox error={presets.error} />}
        {presets.data?.length === 0 && <p className="mb-4">None yet. Keep the request at hand as the first.</p>}
        {presets.data && presets.data.length > 0 && (
          <ul aria-label="Presets" className="mb-5 max-h-64 divide-y divide-line overflow-y-auto" tabIndex={0}>
            {presets.data.map((each) => (
              <li key={each.id} className="flex items-center gap-2 py-2">
                <span className="min-w-0 flex-1 break-words">
                  {each.name} <span className="text-sm text-muted">{ago(each.updated_at)}</span>
                </span>
                <Button
                  onPress={() => {
                    onStart(each);
                    setOpen(false);
                  }}
                >
                  Start from it<span className="sr-only"> ({each.name})</span>
                </Button>
                <Button look="quiet" aria-label={`Delete ${each.name}`} onPress={() => remove.mutate(each)}>
                  <Trash2 aria-hidden className="size-4" />
                </Button>
              </li>
            ))}
          </ul>
        )}
        <Form
          className="grid gap-3 border-t border-line pt-4"
          onSubmit={(event) => {
            event.preventDefault();
            keep.mutate({ name, document });
          }}
        >
          <TextField
            label="Keep the request at hand as"
            isRequired
            value={name}
            onChange={setName}
            help="A preset of the same name is replaced."
          />
          {keep.isError && <ProblemBox error={keep.error} />}
          <Button
            type="submit"
            look="primary"
            className="justify-self-start"
            isDisabled={name.trim() === ""}
            doing={keep.isPending && "Keeping…"}
          >
            Keep it
          </Button>
        </Form>
      </Dialog>
    </>
  );
}
