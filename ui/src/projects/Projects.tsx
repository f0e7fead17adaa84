import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { FlaskConical, Plus } from "lucide-react";
import { useState } from "react";

import { Button } from "@/parts/Button";
import { Checkbox, TextField } from "@/parts/Fields";
import { PageHead } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, Waiting } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { ago, count } from "@/format";
import * as ask from "@/queries";

import { NewProject } from "./NewProject";
import { trySample } from "./sample";

const route = getRouteApi("/inside/");

export const ROLE_WORDS: Record<string, string> = { owner: "Owner", editor: "Editor", viewer: "Viewer" };

export function Projects() {
  const { search = "", archived = false } = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data: me } = useSuspenseQuery(ask.me());
  const { fail } = useToasts();
  const list = useQuery(ask.projects(search, archived));
  const [making, setMaking] = useState(false);
  const [doing, setDoing] = useState<string | false>(false);
  const mayWrite = me.permissions.includes("projects.write");

  const sample = async () => {
    try {
      const projectId = await trySample(setDoing);
      await client.invalidateQueries({ queryKey: ["projects"] });
      await navigate({ to: "/projects/$projectId", params: { projectId } });
    } catch (error) {
      fail(error);
    } finally {
      setDoing(false);
    }
  };

  const actions = mayWrite && (
    <>
      <Button onPress={() => void sample()} doing={doing}>
        <FlaskConical aria-hidden className="size-4" /> Try with the sample study
      </Button>
      <Button look="primary" onPress={() => setMaking(true)}>
        <Plus aria-hidden className="size-4" /> New project
      </Button>
    </>
  );
  const untouched = search === "" && !archived;

  return (
    <>
      <PageHead title="Projects" actions={list.data && (list.data.total > 0 || !untouched) ? actions : undefined}>
        A project holds the data of one study, what was found in them, and the new subjects made from them.
      </PageHead>
      {list.isPending && <Waiting for="Loading the projects" />}
      {list.isError && <ProblemBox error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (list.data.total > 8 || !untouched) && (
        <div className="mb-4 flex flex-wrap items-end gap-x-6 gap-y-2">
          <TextField
            search
            label="Find by name"
            className="w-full sm:w-72"
            value={search}
            onChange={(value) =>
              void navigate({ to: "/", search: (old) => ({ ...old, search: value || undefined }), replace: true })
            }
          />
          <Checkbox
            label="Archived ones too"
            isSelected={archived}
            onChange={(value) =>
              void navigate({ to: "/", search: (old) => ({ ...old, archived: value || undefined }) })
            }
          />
        </div>
      )}
      {list.data && list.data.total === 0 && untouched && (
        <Empty title={mayWrite ? "Your first study of new subjects" : "No project yet"} action={actions}>
          {mayWrite ? (
            <>
              Make a project, drop the files of a study into it, look at what was found, and say how many subjects you
              need. Or look around in the sample study first: one click, and everything is there.
            </>
          ) : (
            <>
              Your role lets you look at projects that you are invited to. Ask the owner of a project for an invitation.
            </>
          )}
        </Empty>
      )}
      {list.data && list.data.total === 0 && !untouched && <p className="text-muted">No project of that name.</p>}
      {list.data && list.data.items.length > 0 && (
        <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
          {list.data.items.map((item) => (
            <li key={item.id}>
              <Link
                to="/projects/$projectId"
                params={{ projectId: item.id }}
                className="panel flex h-full flex-col p-4 text-ink no-underline hover:border-accent"
              >
                <span className="flex items-start justify-between gap-3">
                  <span className="text-lg font-semibold break-words">{item.name}</span>
                  <span className="flex gap-1.5">
                    {item.archived_at && <Badge>Archived</Badge>}
                    {item.my_role !== "owner" && <Badge>{ROLE_WORDS[item.my_role]}</Badge>}
                  </span>
                </span>
                {item.description && <span className="mt-1 line-clamp-2 text-muted">{item.description}</span>}
                <span className="mt-auto pt-3 text-sm text-muted">
                  {[item.standard, item.domains.length > 0 && item.domains.slice(0, 8).join(", ")]
                    .filter(Boolean)
                    .join(" · ")}
                  {(item.standard || item.domains.length > 0) && " · "}
                  changed {ago(item.updated_at)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {list.data && list.data.total > list.data.items.length && (
        <p className="mt-4 text-muted">
          The latest {count(list.data.items.length, "project")} of {list.data.total}; find others by name.
        </p>
      )}
      <NewProject isOpen={making} onClose={() => setMaking(false)} />
    </>
  );
}
