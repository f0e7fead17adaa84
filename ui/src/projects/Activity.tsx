import { useInfiniteQuery } from "@tanstack/react-query";

import { api, type Schemas, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Section } from "@/parts/Layout";
import { ProblemBox } from "@/parts/Notices";
import { ago, moment } from "@/format";

const ACTS: Record<string, string> = {
  "member.joined": "joined the project",
  "member.changed": "changed a member's role",
  "member.removed": "removed a member",
  "invitation.made": "invited somebody",
  "invitation.withdrawn": "withdrew an invitation",
};
const VERBS: Record<string, string> = {
  create: "made",
  change: "changed",
  delete: "deleted",
  upload: "uploaded files to",
  import: "imported",
  cancel: "cancelled",
  keep: "kept",
  push: "pushed",
};
const THINGS: Record<string, string> = { analysis: "an analysis", job: "a job", validation: "a check" };

/** An act in words: who did it stands before. */
export function actText({ action, object_kind, name }: Pick<Schemas["Activity"], "action" | "object_kind" | "name">) {
  if (ACTS[action]) return ACTS[action];
  const verb = action.split(".").at(-1)!;
  const thing = name ? `the ${object_kind} ${name}` : (THINGS[object_kind] ?? `the ${object_kind}`);
  return `${VERBS[verb] ?? verb.replaceAll("-", " ")} ${thing}`;
}

/** What was done in the project, by whom, the latest first. */
export function Activity({ projectId }: { projectId: string }) {
  const found = useInfiniteQuery({
    queryKey: ["project", projectId, "activity"],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam }) =>
      take(
        api.GET("/api/projects/{project_id}/activity", {
          params: { path: { project_id: projectId }, query: { before: pageParam, limit: 8 } },
        }),
      ),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  if (found.isError) return <ProblemBox error={found.error} />;
  return (
    <Section title="Activity">
      <ul className="panel divide-y divide-line" aria-busy={found.isPending}>
        {found.data?.pages
          .flatMap((page) => page.items)
          .map((each) => (
            <li key={each.number} className="flex flex-wrap justify-between gap-x-4 px-4 py-2">
              <span className="min-w-0 break-words">
                <span className="font-medium">{each.by ?? "Somebody"}</span>
                {each.by_key && " (by an API key)"} {actText(each)}
              </span>
              <time dateTime={each.at} title={moment(each.at)} className="text-sm text-muted">
                {ago(each.at)}
              </time>
            </li>
          ))}
      </ul>
      {found.hasNextPage && (
        <Button
          className="mt-3"
          doing={found.isFetchingNextPage && "Loading…"}
          onPress={() => void found.fetchNextPage()}
        >
          Earlier
        </Button>
      )}
    </Section>
  );
}
