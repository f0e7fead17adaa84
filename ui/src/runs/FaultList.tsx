import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, take } from "@/api/client";
import { Grid, Section } from "@/parts/Layout";
import { Badge, ProblemBox, Waiting } from "@/parts/Notices";
import { TONES } from "@/generate/Faults";
import { count, number } from "@/format";

import { useProject } from "@/projects/Project";

import { RowLinkCell } from "./links";
import { OnlyButton } from "./OnlyButton";

const route = getRouteApi("/inside/projects/$projectId/runs/$runId");
const MOST = 200;

/** The answer key: which faults were put in, where, and what was there before. */
export function FaultList({ kind, previewed }: { kind: string | undefined; previewed: Set<string> }) {
  const { projectId } = useProject();
  const { runId } = route.useParams();
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["project", projectId, "runs", runId, "answers", kind],
    staleTime: Infinity,
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/runs/{run_id}/answers", {
          params: { path: { project_id: projectId, run_id: runId }, query: { kind, limit: MOST } },
        }),
      ),
  });
  const choose = (next: string | undefined) =>
    void navigate({
      to: "/projects/$projectId/runs/$runId",
      params: { projectId, runId },
      search: { view: "faults", kind: next },
    });
  if (found.isPending) return <Waiting for="Loading the answer key" />;
  if (found.isError) return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  const { kinds, items, matching } = found.data;
  const hidden = kinds.filter((each) => !each.detectable).length;
  return (
    <>
      <p className="mb-4 max-w-prose text-muted">
        The answer key of this run. It is in the download as well, in the folder <code>answers</code>, to score what
        your system finds.{hidden > 0 && ` ${count(hidden, "kind")} cannot be seen by any rule.`}
      </p>
      <Section title={`By kind (${number(kinds.length)})`}>
        <Grid label="Kinds of faults" head={["Kind", "Severity", "Faults", "Changes", "Can be found by", ""]}>
          {kinds.map((each) => (
            <tr key={`${each.kind} ${each.severity}`}>
              <th scope="row">{each.kind.replaceAll("-", " ")}</th>
              <td>
                <Badge tone={TONES[each.severity] ?? "neutral"}>{each.severity}</Badge>
              </td>
              <td className="numbers">{number(each.faults)}</td>
              <td className="numbers">{number(each.changes)}</td>
              <td>{each.detectable ? "rules" : "statistics or eye only"}</td>
              <td className="text-right">
                <OnlyButton name={each.kind} only={kind} onChange={choose} />
              </td>
            </tr>
          ))}
        </Grid>
      </Section>
      <Section title={`One by one (${count(matching, "change")})`}>
        <Grid label="Faults" head={["Fault", "Where", "Before", "Now", ""]}>
          {items.map((each, at) => (
            <tr key={at}>
              <th scope="row" className="whitespace-nowrap">
                {each.kind.replaceAll("-", " ")}
              </th>
              <td className="text-sm">
                {[each.table, each.variable, each.row != null && `row ${number(each.row)}`, each.subject]
                  .filter(Boolean)
                  .join(", ")}
              </td>
              <td className="max-w-80 font-mono text-sm break-all">{brief(each.old)}</td>
              <td className="max-w-80 font-mono text-sm break-all">
                {each.change === "delete" ? <span className="text-muted">taken out</span> : brief(each.new)}
              </td>
              <RowLinkCell runId={runId} table={previewed.has(each.table ?? "") ? each.table : null} row={each.row} />
            </tr>
          ))}
        </Grid>
        {matching > items.length && (
          <p className="mt-2 text-muted">
            The first {number(items.length)}. All are in the answer key of the download.
          </p>
        )}
      </Section>
    </>
  );
}

/** A value or a whole row, cut where it is long. */
const brief = (value: string | null) =>
  value === null || value === "" ? "empty" : value.length > 120 ? `${value.slice(0, 119)}…` : value;
