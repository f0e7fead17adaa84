import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { asProblem } from "@/api/problem";
import { Button, buttonClass } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import * as ask from "@/queries";

import { Card } from "./Card";

/** What the way back from another provider says by a code. */
const REASONS: Record<string, string> = {
  "registration-closed": "Registration is closed for this email address. Ask an administrator for an account.",
  "email-unverified": "The provider does not say that your email address is verified. Verify it there first.",
  "not-linked": "An account with this address exists here. Sign in by password and verify the address first.",
  state: "That took too long, or began in another browser. Begin anew.",
  refused: "The provider did not let you in.",
};

const route = getRouteApi("/login");

export function SignIn() {
  const { next, expired, error } = route.useSearch();
  const methods = useQuery(ask.methods());
  const client = useQueryClient();
  const router = useRouter();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => take(api.POST("/api/auth/login", { body: { email, password } })),
    onSuccess: async (me) => {
      client.setQueryData(["me"], me);
      await router.navigate({ href: next ?? "/" });
    },
  });

  return (
    <Card title="Sign in">
      {expired && (
        <div className="mb-4">
          <Notice>Your session has ended. Sign in again and you are back where you were.</Notice>
        </div>
      )}
      {error && (
        <div className="mb-4">
          <Notice tone="warning">{REASONS[error] ?? `The login elsewhere did not work (${error}). Try again.`}</Notice>
        </div>
      )}
      {methods.isPending && <Waiting for="Asking how one gets in" />}
      {methods.isError && <ProblemBox error={methods.error} onRetry={() => void methods.refetch()} />}
      {methods.data?.setup_needed && (
        <div className="mb-4">
          <Notice>
            There is no administrator yet. Open the one-time link that the service wrote to its log when it started.
          </Notice>
        </div>
      )}
      {methods.data?.password && (
        <Form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate();
          }}
        >
          <TextField
            label="Email"
            type="email"
            name="email"
            autoComplete="username"
            isRequired
            autoFocus
            value={email}
            onChange={setEmail}
          />
          <TextField
            label="Password"
            type="password"
            name="password"
            autoComplete="current-password"
            isRequired
            value={password}
            onChange={setPassword}
          />
          {signIn.isError && <ProblemBox error={signIn.error} />}
          {signIn.isError && asProblem(signIn.error).code === "not-verified" && <Again email={email} />}
          <Button type="submit" look="primary" doing={signIn.isPending && "Signing in…"}>
            Sign in
          </Button>
        </Form>
      )}
      {methods.data && methods.data.providers.length > 0 && (
        <div className={methods.data.password ? "mt-5 border-t border-line pt-5" : ""}>
          <ul className="grid gap-2">
            {methods.data.providers.map((provider) => (
              <li key={provider.name}>
                <a
                  className={buttonClass("secondary", "w-full")}
                  href={next ? `${provider.login_url}?next=${encodeURIComponent(next)}` : provider.login_url}
                >
                  Continue with {provider.title}
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
      {methods.data && !methods.data.password && methods.data.providers.length === 0 && (
        <Notice tone="warning">Every way to sign in is switched off. Ask the administrator of the service.</Notice>
      )}
      <p className="mt-4 flex flex-wrap justify-between gap-3 text-sm">
        {methods.data?.password && methods.data.mail && (
          <Link to="/forgotten" className="link">
            Forgotten your password?
          </Link>
        )}
        {methods.data?.registration && (
          <Link to="/register" className="link">
            Register
          </Link>
        )}
      </p>
    </Card>
  );
}

function Again({ email }: { email: string }) {
  const send = useMutation({ mutationFn: () => take(api.POST("/api/auth/verify/request", { body: { email } })) });
  if (send.data) return <Notice>{send.data.detail}</Notice>;
  return (
    <Button doing={send.isPending && "Sending…"} onPress={() => send.mutate()}>
      Send the mail with the link again
    </Button>
  );
}
