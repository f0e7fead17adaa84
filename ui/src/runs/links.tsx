import { Link } from "@tanstack/react-router";

import type { Schemas } from "@/api/client";

import { useProject } from "@/projects/Project";

/** The name of a run, as the way to it. */
export function RunLink({ run, className = "" }: { run: Pick<Schemas["RunOut"], "id" | "name">; className?: string }) {
  const { projectId } = useProject();
  return (
    <Link
      to="/projects/$projectId/runs/$runId"
      params={{ projectId, runId: run.id }}
      search={{}}
      className={`link ${className}`}
    >
      {run.name}
    </Link>
  );
}

/** The last cell of what was found in a row: the way to that row of the run, where there is one. */
export function RowLinkCell({
  runId,
  table,
  row,
}: {
  runId: string;
  table: string | null | undefined;
  row: number | null | undefined;
}) {
  const { projectId } = useProject();
  return (
    <td className="text-right whitespace-nowrap">
      {table && row != null && (
        <Link
          to="/projects/$projectId/runs/$runId"
          params={{ projectId, runId }}
          search={{ view: "data", table, row }}
          className="link"
        >
          To the row
        </Link>
      )}
    </td>
  );
}
