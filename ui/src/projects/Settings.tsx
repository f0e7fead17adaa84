import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/parts/Button";
import { Code } from "@/parts/Code";
import { Confirm } from "@/parts/Confirm";
import { Select, TextField } from "@/parts/Fields";
import { Grid, PageHead, Section } from "@/parts/Layout";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { day } from "@/format";

import { domainsOf, STANDARDS } from "./NewProject";
import { useProject } from "./Project";
import { ROLE_WORDS } from "./Projects";

type Role = Schemas["MemberRole"];
const ROLES: { value: Role; text: string; help: string }[] = [
  { value: "owner", text: "Owner", help: "Everything, members and deletion too" },
  { value: "editor", text: "Editor", help: "Upload, generate, delete data" },
  { value: "viewer", text: "Viewer", help: "Look and download" },
];

export function Settings() {
  const { projectId, project, mayOwn, may } = useProject();
  return (
    <>
      <PageHead title="Members and settings" />
      <Members />
      {mayOwn && <Invitations />}
      {may("projects.write") && <Facts key={project.updated_at} />}
      {mayOwn && <Deletion projectId={projectId} />}
    </>
  );
}

function Members() {
  const { projectId, me, mayOwn } = useProject();
  const path = { project_id: projectId };
  const key = ["project", projectId, "members"];
  const client = useQueryClient();
  const navigate = useNavigate();
  const { fail, tell } = useToasts();
  const members = useQuery({
    queryKey: key,
    queryFn: () => take(api.GET("/api/projects/{project_id}/members", { params: { path } })),
  });
  const change = useMutation({
    mutationFn: ({ user_id, role }: { user_id: string; role: Role }) =>
      take(
        api.PATCH("/api/projects/{project_id}/members/{user_id}", {
          params: { path: { ...path, user_id } },
          body: { role },
        }),
      ),
    onSuccess: (list) => client.setQueryData(key, list),
    onError: fail,
  });
  const remove = useMutation({
    mutationFn: (user_id: string) =>
      take(api.DELETE("/api/projects/{project_id}/members/{user_id}", { params: { path: { ...path, user_id } } })),
    onSuccess: async (_, user_id) => {
      if (user_id === me.id) {
        tell("You have left the project.");
        await client.invalidateQueries({ queryKey: ["projects"] });
        await navigate({ to: "/" });
      } else await client.invalidateQueries({ queryKey: key });
    },
    onError: fail,
  });
  return (
    <Section title="Members">
      {members.isPending && <Waiting for="Loading the members" />}
      {members.isError && <ProblemBox error={members.error} />}
      {members.data && (
        <Grid label="Members" head={["Person", "Role", "Since", ""]}>
          {members.data.map((member) => (
            <tr key={member.user_id}>
              <th scope="row">
                {member.name || member.email}
                {member.name && <span className="block text-sm font-normal text-muted">{member.email}</span>}
              </th>
              <td>
                {mayOwn ? (
                  <Select
                    label={`Role of ${member.email}`}
                    hideLabel
                    className="w-32"
                    options={ROLES}
                    value={member.role}
                    onChange={(role) => change.mutate({ user_id: member.user_id, role })}
                  />
                ) : (
                  ROLE_WORDS[member.role]
                )}
              </td>
              <td className="whitespace-nowrap">{day(member.since)}</td>
              <td className="text-right">
                {(mayOwn || member.user_id === me.id) && (
                  <Button look="quiet" onPress={() => remove.mutate(member.user_id)}>
                    {member.user_id === me.id ? "Leave" : "Remove"}
                    <span className="sr-only"> {member.email}</span>
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </Grid>
      )}
    </Section>
  );
}

function Invitations() {
  const { projectId } = useProject();
  const path = { project_id: projectId };
  const key = ["project", projectId, "invitations"];
  const client = useQueryClient();
  const { fail } = useToasts();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const open = useQuery({
    queryKey: key,
    queryFn: () => take(api.GET("/api/projects/{project_id}/invitations", { params: { path } })),
  });
  const invite = useMutation({
    mutationFn: () =>
      take(api.POST("/api/projects/{project_id}/invitations", { params: { path }, body: { email, role } })),
    onSuccess: async () => {
      setEmail("");
      await client.invalidateQueries({ queryKey: key });
    },
  });
  const withdraw = useMutation({
    mutationFn: (invitation_id: string) =>
      take(
        api.DELETE("/api/projects/{project_id}/invitations/{invitation_id}", {
          params: { path: { ...path, invitation_id } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
    onError: fail,
  });
  return (
    <Section title="Invite somebody">
      <Form
        className="flex flex-wrap items-start gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate();
        }}
      >
        <TextField label="Email" type="email" isRequired className="w-full sm:w-80" value={email} onChange={setEmail} />
        <Select label="Role" className="w-40" options={ROLES} value={role} onChange={setRole} />
        <Button type="submit" look="primary" className="sm:mt-6" doing={invite.isPending && "Inviting…"}>
          Invite
        </Button>
      </Form>
      {invite.isError && (
        <div className="mt-3">
          <ProblemBox error={asProblem(invite.error)} />
        </div>
      )}
      {invite.data && (
        <div className="mt-3 grid gap-2">
          <Notice>
            Send this link to {invite.data.email}. It is shown this once, works for that address only, until{" "}
            {day(invite.data.expires_at)}.
          </Notice>
          <Code label="Link of the invitation" text={invite.data.link} />
        </div>
      )}
      {open.data && open.data.length > 0 && (
        <div className="mt-4">
          <Grid label="Open invitations" head={["Open invitation", "Role", "Until", ""]}>
            {open.data.map((each) => (
              <tr key={each.id}>
                <th scope="row">{each.email}</th>
                <td>{ROLE_WORDS[each.role]}</td>
                <td className="whitespace-nowrap">{day(each.expires_at)}</td>
                <td className="text-right">
                  <Button look="quiet" onPress={() => withdraw.mutate(each.id)}>
                    Withdraw<span className="sr-only"> the invitation of {each.email}</span>
                  </Button>
                </td>
              </tr>
            ))}
          </Grid>
        </div>
      )}
    </Section>
  );
}

function Facts() {
  const { projectId, project } = useProject();
  const client = useQueryClient();
  const { tell } = useToasts();
  const [name, setName] = useState(project.name);
  const [description, setDescription] = useState(project.description);
  const [standard, setStandard] = useState(project.standard ?? "");
  const [domains, setDomains] = useState(project.domains.join(", "));
  const save = useMutation({
    mutationFn: (body: Schemas["ProjectChange"]) =>
      take(api.PATCH("/api/projects/{project_id}", { params: { path: { project_id: projectId } }, body })),
    onSuccess: async (changed) => {
      client.setQueryData(["project", projectId], changed);
      await client.invalidateQueries({ queryKey: ["projects"] });
      tell("Saved.");
    },
  });
  const known = STANDARDS.some((option) => option.value === standard);
  return (
    <Section title="About the project">
      <Form
        className="panel grid max-w-2xl gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ name, description, standard, domains: domainsOf(domains) });
        }}
      >
        <TextField label="Name" isRequired value={name} onChange={setName} />
        <TextField label="Description" multiline={3} value={description} onChange={setDescription} />
        <Select
          label="Data standard"
          options={known ? STANDARDS : [...STANDARDS, { value: standard, text: standard }]}
          value={standard}
          onChange={setStandard}
        />
        <TextField label="Target domains" value={domains} onChange={setDomains} />
        {save.isError && <ProblemBox error={save.error} />}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="primary" doing={save.isPending && "Saving…"}>
            Save
          </Button>
          <Button onPress={() => save.mutate({ archived: !project.archived_at })}>
            {project.archived_at ? "Take out of the archive" : "Archive"}
          </Button>
        </div>
      </Form>
    </Section>
  );
}

function Deletion({ projectId }: { projectId: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <Section title="Delete the project">
      <p className="mb-3 max-w-prose text-muted">
        Data, analyses, models and runs are deleted with it. Archiving keeps them out of sight instead.
      </p>
      <Confirm
        text="Delete the project"
        title="Delete the project for good?"
        doing="Deleting…"
        onConfirm={async () => {
          await take(api.DELETE("/api/projects/{project_id}", { params: { path: { project_id: projectId } } }));
          await navigate({ to: "/" });
          client.removeQueries({ queryKey: ["project", projectId] });
          await client.invalidateQueries({ queryKey: ["projects"] });
        }}
      >
        Everything in it is deleted: uploaded data, analyses, models, runs. Nobody can bring it back.
      </Confirm>
    </Section>
  );
}
