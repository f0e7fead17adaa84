import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Select, TextField } from "@/parts/Fields";
import { ProblemBox } from "@/parts/Notices";

export const STANDARDS = [
  { value: "SDTM", text: "SDTM", help: "Tabulation data as submitted" },
  { value: "ADaM", text: "ADaM", help: "Analysis data" },
  { value: "OMOP", text: "OMOP", help: "Common data model of observational data" },
  { value: "", text: "Other or none", help: "Any related tables" },
];

/** "dm, ae;lb" -> DM, AE, LB */
export const domainsOf = (text: string) => [
  ...new Set(
    text
      .split(/[\s,;]+/)
      .map((word) => word.toUpperCase())
      .filter(Boolean),
  ),
];

export function NewProject({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [standard, setStandard] = useState("SDTM");
  const [domains, setDomains] = useState("");
  const make = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/projects", {
          body: { name, description, standard: standard || null, domains: domainsOf(domains) },
        }),
      ),
    onSuccess: async (project) => {
      client.setQueryData(["project", project.id], project);
      await client.invalidateQueries({ queryKey: ["projects"] });
      onClose();
      await navigate({ to: "/projects/$projectId/data", params: { projectId: project.id } });
    },
  });
  const problem = make.isError ? asProblem(make.error) : null;
  return (
    <Dialog title="New project" isOpen={isOpen} onClose={onClose}>
      <Form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextField label="Name" isRequired autoFocus value={name} onChange={setName} wrong={problem?.of("name")} />
        <TextField label="Description" multiline={2} value={description} onChange={setDescription} />
        <Select label="Data standard" options={STANDARDS} value={standard} onChange={setStandard} />
        <TextField
          label="Target domains"
          help="The domains that you need, such as DM, AE, LB. For orientation: what you upload decides."
          value={domains}
          onChange={setDomains}
        />
        {problem && !problem.of("name") && <ProblemBox error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" look="primary" doing={make.isPending && "Making…"}>
            Make the project
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
