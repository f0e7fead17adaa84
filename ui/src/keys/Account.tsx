import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, type Schemas, take } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import { Grid, PageHead, Section } from "@/parts/Layout";
import { Badge, ProblemBox, Waiting } from "@/parts/Notices";
import { Progress } from "@/parts/Progress";
import { useToasts } from "@/parts/Toasts";
import { ago, number } from "@/format";
import * as ask from "@/queries";

import { Deletion } from "./Deletion";

export function Account() {
  const { data: me } = useSuspenseQuery(ask.me());
  return (
    <>
      <PageHead title="Account">
        {me.email} · {me.role} · tier {me.tier}
      </PageHead>
      <Usage />
      <Name />
      {me.has_password_login && <Password />}
      <Logins />
      <Deletion />
    </>
  );
}

function Usage() {
  const usage = useQuery({ queryKey: ["usage"], queryFn: () => take(api.GET("/api/usage")) });
  if (usage.isError) return <ProblemBox error={usage.error} />;
  if (!usage.data) return <Waiting for="Loading your usage" />;
  const line = (label: string, amount: Schemas["Amount"]) => (
    <Progress
      label={label}
      value={amount.limit ? Math.min(1, amount.used / amount.limit) : 0}
      note={
        amount.limit === null
          ? `${number(amount.used)}, without limit`
          : `${number(amount.used)} of ${number(amount.limit)}`
      }
    />
  );
  return (
    <Section title="Used today">
      <div className="panel grid max-w-2xl gap-4 p-4">
        {line("Subjects generated", usage.data.subjects)}
        {line("Rows generated", usage.data.rows)}
        {line("Requests", usage.data.requests)}
      </div>
    </Section>
  );
}

function Name() {
  const { data: me } = useSuspenseQuery(ask.me());
  const client = useQueryClient();
  const { tell } = useToasts();
  const [name, setName] = useState(me.name);
  const save = useMutation({
    mutationFn: () => take(api.PATCH("/api/auth/me", { body: { name } })),
    onSuccess: (changed) => {
      client.setQueryData(["me"], changed);
      tell("Saved.");
    },
  });
  return (
    <Section title="Name">
      <Form
        className="flex max-w-2xl flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextField
          label="What others in your projects see"
          className="w-full sm:w-96"
          autoComplete="name"
          value={name}
          onChange={setName}
        />
        <Button type="submit" doing={save.isPending && "Saving…"}>
          Save
        </Button>
      </Form>
      {save.isError && <ProblemBox error={save.error} />}
    </Section>
  );
}

function Password() {
  const { tell } = useToasts();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => take(api.POST("/api/auth/password", { body: { current_password: current, new_password: next } })),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      tell("The password is changed. All other logins have ended.");
    },
  });
  const problem = change.isError ? asProblem(change.error) : null;
  return (
    <Section title="Password">
      <Form
        className="panel grid max-w-md gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <TextField
          label="Present password"
          type="password"
          autoComplete="current-password"
          isRequired
          value={current}
          onChange={setCurrent}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          isRequired
          help="12 characters at least, and hard to guess."
          wrong={problem?.code === "weak-password" ? problem.message : undefined}
          value={next}
          onChange={setNext}
        />
        {problem && problem.code !== "weak-password" && <ProblemBox error={problem} />}
        <Button type="submit" doing={change.isPending && "Changing…"} className="justify-self-start">
          Change the password
        </Button>
      </Form>
    </Section>
  );
}

function Logins() {
  const client = useQueryClient();
  const { fail } = useToasts();
  const logins = useQuery({ queryKey: ["sessions"], queryFn: () => take(api.GET("/api/auth/sessions")) });
  const end = useMutation({
    mutationFn: (session_id: string) =>
      take(api.DELETE("/api/auth/sessions/{session_id}", { params: { path: { session_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sessions"] }),
    onError: fail,
  });
  return (
    <Section title="Where you are signed in">
      {logins.isPending && <Waiting for="Loading your logins" />}
      {logins.isError && <ProblemBox error={logins.error} />}
      {logins.data && (
        <Grid label="Logins" head={["Browser or program", "Last used", ""]}>
          {logins.data.map((login) => (
            <tr key={login.id}>
              <th scope="row" className="max-w-lg break-words font-normal">
                {login.client || "unknown"}
              </th>
              <td className="whitespace-nowrap">{ago(login.used_at)}</td>
              <td className="text-right">
                {login.current ? (
                  <Badge tone="accent">this one</Badge>
                ) : (
                  <Button look="quiet" onPress={() => end.mutate(login.id)}>
                    Sign out there
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
