import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { asProblem, type Problem } from "@/api/problem";
import { Button, ButtonLink } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";

import { Card } from "./Card";

const LENGTH = "12 characters at least, and hard to guess: three unrelated words do.";

/** The token of the link that led here: behind the #, so that it reached no server's log. */
export function linkToken(): string {
  return (
    new URLSearchParams(location.hash.slice(1)).get("token") ?? new URLSearchParams(location.search).get("token") ?? ""
  );
}

const submit = (run: () => void) => (event: FormEvent) => {
  event.preventDefault();
  run();
};

const Back = () => (
  <p className="mt-4 text-sm">
    <Link to="/login" className="link">
      Back to sign in
    </Link>
  </p>
);

function Done({ children }: { children: ReactNode }) {
  return (
    <>
      <Notice>{children}</Notice>
      <div className="mt-4">
        <ButtonLink to="/login" look="primary">
          Sign in
        </ButtonLink>
      </div>
    </>
  );
}

function NoToken() {
  return (
    <Notice tone="warning">
      This page is opened by the link of a mail. Copy the whole link into the address line.
    </Notice>
  );
}

/** A password that is chosen; what the service says of it stands at the field until it is changed, the rest below. */
function ChosenPassword({
  label,
  value,
  onChange,
  problem,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  problem: Problem | null;
}) {
  const [answered, setAnswered] = useState<Problem | null>(null);
  const weak = problem?.code === "weak-password";
  return (
    <>
      <TextField
        label={label}
        type="password"
        autoComplete="new-password"
        isRequired
        help={LENGTH}
        wrong={weak && answered !== problem ? problem.message : undefined}
        value={value}
        onChange={(next) => {
          setAnswered(problem);
          onChange(next);
        }}
      />
      {problem && !weak && <ProblemBox error={problem} />}
    </>
  );
}

export function Register() {
  const methods = useQuery(ask.methods());
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const register = useMutation({
    mutationFn: () => take(api.POST("/api/auth/register", { body: { email, name, password } })),
  });
  const problem = register.isError ? asProblem(register.error) : null;
  return (
    <Card title="Register">
      {methods.isPending && <Waiting for="Asking whether one may register" />}
      {methods.data && !methods.data.registration && (
        <Notice tone="warning">Registration is closed here. Ask an administrator for an account.</Notice>
      )}
      {register.data ? (
        <Notice>{register.data.detail} Open the link in it, then sign in.</Notice>
      ) : (
        methods.data?.registration && (
          <Form className="grid gap-4" onSubmit={submit(() => register.mutate())}>
            {!methods.data.registration_open_to_all && (
              <Notice>Only addresses that an administrator has listed can register.</Notice>
            )}
            <TextField label="Name" autoComplete="name" value={name} onChange={setName} />
            <TextField
              label="Email"
              type="email"
              autoComplete="username"
              isRequired
              value={email}
              onChange={setEmail}
            />
            <ChosenPassword label="Password" value={password} onChange={setPassword} problem={problem} />
            <Button type="submit" look="primary" doing={register.isPending && "Registering…"}>
              Register
            </Button>
          </Form>
        )
      )}
      <Back />
    </Card>
  );
}

export function Forgotten() {
  const [email, setEmail] = useState("");
  const send = useMutation({
    mutationFn: () => take(api.POST("/api/auth/forgot-password", { body: { email } })),
  });
  return (
    <Card title="Forgotten password" lead="We send a link with which you set a new one.">
      {send.data ? (
        <Notice>{send.data.detail}</Notice>
      ) : (
        <Form className="grid gap-4" onSubmit={submit(() => send.mutate())}>
          <TextField label="Email" type="email" autoComplete="username" isRequired value={email} onChange={setEmail} />
          {send.isError && <ProblemBox error={send.error} />}
          <Button type="submit" look="primary" doing={send.isPending && "Sending…"}>
            Send the link
          </Button>
        </Form>
      )}
      <Back />
    </Card>
  );
}

function NewPassword({
  title,
  lead,
  done,
  set,
}: {
  title: string;
  lead: string;
  done: string;
  set: (token: string, password: string) => Promise<unknown>;
}) {
  const [token] = useState(linkToken);
  const [password, setPassword] = useState("");
  const change = useMutation({ mutationFn: () => set(token, password) });
  const problem = change.isError ? asProblem(change.error) : null;
  return (
    <Card title={title} lead={lead}>
      {change.isSuccess ? (
        <Done>{done}</Done>
      ) : token ? (
        <Form className="grid gap-4" onSubmit={submit(() => change.mutate())}>
          <ChosenPassword label="New password" value={password} onChange={setPassword} problem={problem} />
          <Button type="submit" look="primary" doing={change.isPending && "Setting…"}>
            Set the password
          </Button>
        </Form>
      ) : (
        <NoToken />
      )}
      <Back />
    </Card>
  );
}

export const Reset = () => (
  <NewPassword
    title="New password"
    lead="All your logins end when you set it."
    done="The new password is set."
    set={(token, password) => take(api.POST("/api/auth/reset-password", { body: { token, password } }))}
  />
);

export const Welcome = () => (
  <NewPassword
    title="Welcome"
    lead="An administrator made an account for you. Choose its password."
    done="Your account is ready."
    set={(token, password) => take(api.POST("/api/auth/accept-invitation", { body: { token, password } }))}
  />
);

export function Setup() {
  const [token] = useState(linkToken);
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => take(api.POST("/api/auth/setup", { body: { token, email, name, password } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["methods"] }),
  });
  const problem = make.isError ? asProblem(make.error) : null;
  return (
    <Card title="First administrator" lead="This account sets up the service: people, limits, defaults.">
      {make.isSuccess ? (
        <Done>The administrator&apos;s account is ready.</Done>
      ) : token ? (
        <Form className="grid gap-4" onSubmit={submit(() => make.mutate())}>
          <TextField label="Name" autoComplete="name" value={name} onChange={setName} />
          <TextField label="Email" type="email" autoComplete="username" isRequired value={email} onChange={setEmail} />
          <ChosenPassword label="Password" value={password} onChange={setPassword} problem={problem} />
          <Button type="submit" look="primary" doing={make.isPending && "Creating…"}>
            Create the administrator
          </Button>
        </Form>
      ) : (
        <NoToken />
      )}
    </Card>
  );
}

export function Verify() {
  const [token] = useState(linkToken);
  const verify = useMutation({ mutationFn: () => take(api.POST("/api/auth/verify", { body: { token } })) });
  const { mutate } = verify;
  useEffect(() => {
    if (token) mutate();
  }, [token, mutate]);
  return (
    <Card title="Your email address">
      {!token && <NoToken />}
      {verify.isPending && <Waiting for="Verifying" />}
      {verify.isError && <ProblemBox error={verify.error} />}
      {verify.isSuccess && <Done>Your address is verified.</Done>}
      <Back />
    </Card>
  );
}
