import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Code } from "@/parts/Code";
import { Dialog } from "@/parts/Dialog";
import { Select, TextField } from "@/parts/Fields";
import { Grid, Section } from "@/parts/Layout";
import { Badge, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago, count } from "@/format";
import * as ask from "@/queries";

const route = getRouteApi("/inside/admin/");
type Role = Schemas["Role"];

const ROLES: { value: Role; text: string; help: string }[] = [
  { value: "viewer", text: "Viewer", help: "Looks at projects they are invited to" },
  { value: "analyst", text: "Analyst", help: "Makes projects, uploads, generates" },
  { value: "manager", text: "Manager", help: "Targets, accounts and logs to read" },
  { value: "administrator", text: "Administrator", help: "Everything" },
];

export function People() {
  const { search = "" } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const { data: me } = useSuspenseQuery(ask.me());
  const [making, setMaking] = useState(false);
  const [link, setLink] = useState<{ email: string; link: string } | null>(null);
  const mayWrite = me.permissions.includes("users.write");
  const users = useQuery({
    queryKey: ["users", search],
    queryFn: () => take(api.GET("/api/users", { params: { query: { search, limit: 200 } } })),
  });
  const settings = useQuery({ queryKey: ["settings"], queryFn: () => take(api.GET("/api/settings")) });
  const tiers = Object.keys(settings.data?.settings.tiers ?? {}).map((value) => ({ value, text: value }));
  const change = useMutation({
    mutationFn: ({ user_id, body }: { user_id: string; body: Schemas["UserChange"] }) =>
      take(api.PATCH("/api/users/{user_id}", { params: { path: { user_id } }, body })),
    onSuccess: async (user) => {
      tell(`Changed: ${user.email}.`);
      await client.invalidateQueries({ queryKey: ["users"] });
    },
    onError: fail,
  });
  const makeLink = useMutation({
    mutationFn: async (user: Schemas["UserOut"]) => ({
      email: user.email,
      ...(await take(api.POST("/api/users/{user_id}/link", { params: { path: { user_id: user.id } } }))),
    }),
    onSuccess: setLink,
    onError: fail,
  });

  return (
    <Section
      title="People"
      actions={
        mayWrite && (
          <Button look="primary" onPress={() => setMaking(true)}>
            New account
          </Button>
        )
      }
    >
      {link && (
        <div className="mb-4 grid gap-2">
          <Notice>
            Send this link to {link.email}: it sets the password, works once, for 72 hours, and is not shown again.
          </Notice>
          <Code label="Link" text={link.link} />
        </div>
      )}
      <TextField
        search
        label="Find by name or email"
        className="mb-3 w-full sm:w-72"
        value={search}
        onChange={(value) => void navigate({ to: "/admin", search: { search: value || undefined }, replace: true })}
      />
      {users.isPending && <Waiting for="Loading the accounts" />}
      {users.isError && <ProblemBox error={users.error} />}
      {users.data && (
        <Grid label="Accounts" head={["Person", "Role", "Tier", "Last login", "State", ""]}>
          {users.data.items.map((user) => (
            <tr key={user.id}>
              <th scope="row">
                {user.name || user.email}
                {user.name && <span className="block text-sm font-normal text-muted">{user.email}</span>}
              </th>
              <td>
                {mayWrite ? (
                  <Select
                    label={`Role of ${user.email}`}
                    hideLabel
                    className="w-40"
                    options={ROLES}
                    value={user.role}
                    onChange={(role) => change.mutate({ user_id: user.id, body: { role } })}
                  />
                ) : (
                  user.role
                )}
              </td>
              <td>
                {mayWrite && tiers.length > 0 ? (
                  <Select
                    label={`Tier of ${user.email}`}
                    hideLabel
                    className="w-32"
                    options={tiers}
                    value={user.tier}
                    onChange={(tier) => change.mutate({ user_id: user.id, body: { tier } })}
                  />
                ) : (
                  user.tier
                )}
              </td>
              <td className="whitespace-nowrap">{user.last_login_at ? ago(user.last_login_at) : "never"}</td>
              <td>
                {!user.is_active ? (
                  <Badge tone="bad">switched off</Badge>
                ) : user.is_verified ? (
                  <Badge tone="good">active</Badge>
                ) : (
                  <Badge tone="warning">not verified</Badge>
                )}
              </td>
              <td className="text-right whitespace-nowrap">
                {mayWrite && (
                  <>
                    <Button look="quiet" onPress={() => makeLink.mutate(user)}>
                      Link for a password<span className="sr-only"> of {user.email}</span>
                    </Button>
                    {user.id !== me.id && (
                      <Button
                        look="quiet"
                        onPress={() => change.mutate({ user_id: user.id, body: { is_active: !user.is_active } })}
                      >
                        {user.is_active ? "Switch off" : "Switch on"}
                        <span className="sr-only"> {user.email}</span>
                      </Button>
                    )}
                  </>
                )}
              </td>
            </tr>
          ))}
        </Grid>
      )}
      {users.data && <p className="mt-2 text-sm text-muted">{count(users.data.total, "account")}</p>}
      <NewUser
        isOpen={making}
        onClose={() => setMaking(false)}
        onMade={(made) => {
          setLink(made);
          setMaking(false);
          void client.invalidateQueries({ queryKey: ["users"] });
        }}
      />
    </Section>
  );
}

function NewUser({
  isOpen,
  onClose,
  onMade,
}: {
  isOpen: boolean;
  onClose: () => void;
  onMade: (made: { email: string; link: string }) => void;
}) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("analyst");
  const make = useMutation({
    mutationFn: () => take(api.POST("/api/users", { body: { email, name, role } })),
    onSuccess: (made) => {
      setEmail("");
      setName("");
      onMade(made);
    },
  });
  return (
    <Dialog title="New account" isOpen={isOpen} onClose={onClose}>
      <Form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextField label="Email" type="email" isRequired autoFocus value={email} onChange={setEmail} />
        <TextField label="Name" value={name} onChange={setName} />
        <Select label="Role" options={ROLES} value={role} onChange={setRole} />
        {make.isError && <ProblemBox error={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onPress={onClose}>Cancel</Button>
          <Button type="submit" look="primary" doing={make.isPending && "Making…"}>
            Make the account
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
