import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Form } from "react-aria-components";

import { api, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Code } from "@/parts/Code";
import { Dialog } from "@/parts/Dialog";
import { Checkbox, Select, TextField } from "@/parts/Fields";
import { Grid, PageHead, Section } from "@/parts/Layout";
import { Badge, Empty, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago, day } from "@/format";
import * as ask from "@/queries";

const LASTS = [
  { value: "30", text: "30 days" },
  { value: "90", text: "90 days" },
  { value: "365", text: "One year" },
  { value: "", text: "Until it is revoked" },
];

export function Keys() {
  const client = useQueryClient();
  const { fail, tell } = useToasts();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState("");
  const keys = useQuery({ queryKey: ["keys"], queryFn: () => take(api.GET("/api/keys")) });
  const revoke = useMutation({
    mutationFn: (key_id: string) => take(api.DELETE("/api/keys/{key_id}", { params: { path: { key_id } } })),
    onSuccess: async () => {
      tell("Revoked. It stopped working at once.");
      await client.invalidateQueries({ queryKey: ["keys"] });
    },
    onError: fail,
  });
  const start = (
    <Button look="primary" onPress={() => setMaking(true)}>
      New key
    </Button>
  );
  return (
    <>
      <PageHead title="API keys" actions={keys.data && keys.data.length > 0 && start}>
        For programs: a key may do what you may, or less.
      </PageHead>
      {secret && (
        <div className="mb-6 grid gap-2">
          <Notice tone="warning">Copy the key now. It is not shown again.</Notice>
          <Code label="Your new key" text={secret} />
        </div>
      )}
      {keys.isPending && <Waiting for="Loading the keys" />}
      {keys.isError && <ProblemBox error={keys.error} />}
      {keys.data?.length === 0 && (
        <Empty title="No key yet" action={start}>
          With a key, scripts and pipelines ask this service for subjects as you do here.
        </Empty>
      )}
      {keys.data && keys.data.length > 0 && (
        <Grid label="API keys" head={["Name", "Begins with", "May", "Last used", "Ends", ""]}>
          {keys.data.map((key) => (
            <tr key={key.id}>
              <th scope="row">{key.name}</th>
              <td className="font-mono text-sm">{key.hint}…</td>
              <td className="text-sm">{key.scopes ? key.scopes.join(", ") : "all that you may"}</td>
              <td className="whitespace-nowrap">{key.used_at ? ago(key.used_at) : "never"}</td>
              <td className="whitespace-nowrap">{key.expires_at ? day(key.expires_at) : "never"}</td>
              <td className="text-right">
                {key.revoked_at ? (
                  <Badge>revoked</Badge>
                ) : (
                  <Button look="quiet" onPress={() => revoke.mutate(key.id)}>
                    Revoke<span className="sr-only"> {key.name}</span>
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </Grid>
      )}
      <Snippets secret={secret} />
      <NewKey
        isOpen={making}
        onClose={() => setMaking(false)}
        onMade={(key) => {
          setSecret(key);
          setMaking(false);
          void client.invalidateQueries({ queryKey: ["keys"] });
        }}
      />
    </>
  );
}

function NewKey({ isOpen, onClose, onMade }: { isOpen: boolean; onClose: () => void; onMade: (key: string) => void }) {
  const { data: me } = useSuspenseQuery(ask.me());
  const [name, setName] = useState("");
  const [lasts, setLasts] = useState("90");
  const [everything, setEverything] = useState(true);
  const [scopes, setScopes] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/keys", {
          body: {
            name,
            scopes: everything ? null : scopes,
            expires_at: lasts ? new Date(Date.now() + Number(lasts) * 86_400_000).toISOString() : null,
          },
        }),
      ),
    onSuccess: (made) => {
      setName("");
      onMade(made.key);
    },
  });
  return (
    <Dialog title="New API key" isOpen={isOpen} onClose={onClose}>
      <Form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <TextField
          label="Name"
          isRequired
          autoFocus
          help="What it is for: nightly, my laptop…"
          value={name}
          onChange={setName}
        />
        <Select label="Lasts" options={LASTS} value={lasts} onChange={setLasts} />
        <Checkbox label="May do all that I may" isSelected={everything} onChange={setEverything} />
        {!everything && (
          <div
            role="group"
            aria-label="What the key may do"
            className="grid max-h-56 overflow-y-auto rounded-lg border border-line p-3"
            tabIndex={0}
          >
            {me.permissions.map((permission) => (
              <Checkbox
                key={permission}
                label={permission}
                isSelected={scopes.includes(permission)}
                onChange={(on) =>
                  setScopes((all) => (on ? [...all, permission] : all.filter((each) => each !== permission)))
                }
              />
            ))}
          </div>
        )}
        {make.isError && <ProblemBox error={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onPress={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            doing={make.isPending && "Making…"}
            isDisabled={!everything && scopes.length === 0}
          >
            Make the key
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

function Snippets({ secret }: { secret: string }) {
  const [way, setWay] = useState("curl");
  const key = secret || "dr_...";
  const { origin } = location;
  const texts: Record<string, string> = {
    curl: `curl -H "Authorization: Bearer ${key}" ${origin}/api/projects\n`,
    python: `import httpx

service = httpx.Client(base_url="${origin}/api", headers={"Authorization": "Bearer ${key}"})
projects = service.get("/projects").json()["items"]
for project in projects:
    print(project["id"], project["name"])
`,
    r: `library(httr2)

request("${origin}/api/projects") |>
  req_auth_bearer_token("${key}") |>
  req_perform() |>
  resp_body_json()
`,
  };
  return (
    <div className="mt-8">
      <Section title="How to use a key">
        <div className="grid max-w-3xl gap-2">
          <Select
            label="Language"
            className="w-48"
            options={[
              { value: "curl", text: "curl" },
              { value: "python", text: "Python" },
              { value: "r", text: "R" },
            ]}
            value={way}
            onChange={setWay}
          />
          <Code label={`Your projects, with ${way}`} text={texts[way]!} />
          <p className="text-muted">
            All that this interface does goes through the same API.{" "}
            <a className="link" href="/api/openapi.json">
              Its description (OpenAPI)
            </a>
          </p>
        </div>
      </Section>
    </div>
  );
}
