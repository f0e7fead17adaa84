import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { TextField } from "@/parts/Fields";
import { Section } from "@/parts/Layout";
import { ProblemBox } from "@/parts/Notices";
import * as ask from "@/queries";

/** The way out: one's own account, with everything that hangs on it. */
export function Deletion() {
  const { data: me } = useSuspenseQuery(ask.me());
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const remove = async () => {
    setBusy(true);
    setError(null);
    try {
      await take(api.DELETE("/api/auth/me", { body: { email, current_password: password || null } }));
      client.clear();
      await navigate({ to: "/login" });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title="Delete the account">
      <p className="mb-3 max-w-prose text-muted">
        Your logins, API keys and memberships go with it. Projects that have another owner stay; the audit trail keeps
        what was done, without your name.
      </p>
      <Button look="danger" onPress={() => setOpen(true)}>
        Delete my account
      </Button>
      <Dialog title="Delete your account for good?" isOpen={open} onClose={() => setOpen(false)}>
        <Form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            void remove();
          }}
        >
          <TextField
            label="Your email address, to show that you mean it"
            type="email"
            isRequired
            autoComplete="off"
            value={email}
            onChange={setEmail}
          />
          {me.has_password_login && (
            <TextField
              search
              label="Your password"
              type="password"
              autoComplete="current-password"
              value={password}
              onChange={setPassword}
              help="Leave it empty if you sign in by Google, GitHub or another provider."
            />
          )}
          {error !== null && <ProblemBox error={error} />}
          <div className="flex justify-end gap-2">
            <Button onPress={() => setOpen(false)}>Keep it</Button>
            <Button
              type="submit"
              look="danger"
              doing={busy && "Deleting…"}
              isDisabled={email.trim().toLowerCase() !== me.email}
            >
              Delete my account for good
            </Button>
          </div>
        </Form>
      </Dialog>
    </Section>
  );
}
