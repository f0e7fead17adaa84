import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { api, type Schemas, take } from "@/api/client";

import type { Document } from "./request";
import type { Source } from "./source";

export type Checked = Schemas["RequestChecked"];

const PAUSE = 400;

/** What the service says of a request that is being written: what is wrong with it, and what it would take. */
export function useChecked(projectId: string, source: Source, document: Document) {
  const text = JSON.stringify(document);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery({
    queryKey: ["checked", projectId, source.id, settled],
    staleTime: 60_000,
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: () =>
      take(
        api.POST("/api/projects/{project_id}/runs/check", {
          params: { path: { project_id: projectId } },
          body: {
            [`${source.kind}_id`]: source.id,
            document: JSON.parse(settled) as Document,
            urgency: "normal" as const,
          },
        }),
      ),
  });
  return { ...found, pending: found.isPending || settled !== text || found.isPlaceholderData };
}

/** What is wrong, and what to do about it. */
export function saidAgainst({ message, hint }: Checked["problems"][number]): string {
  const said = message.charAt(0).toUpperCase() + message.slice(1);
  return hint ? `${said} ${hint}` : said;
}

/** The problem of one part of the document, such as `constraints.0`. */
export function problemAt(checked: Checked | undefined, place: string): string | undefined {
  const found = checked?.problems.find((each) => each.place === place);
  return found && saidAgainst(found);
}
