import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, type Schemas, take } from "@/api/client";
import { Select } from "@/parts/Fields";
import { Grid, Section } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, Waiting } from "@/parts/Notices";
import { count, number } from "@/format";

import { useProject } from "@/projects/Project";

import { RowLinkCell } from "./links";
import { OnlyButton } from "./OnlyButton";

const route = getRouteApi("/inside/projects/$projectId/runs/$runId");
const TONES: Record<string, "bad" | "warning" | "neutral"> = { error: "bad", warning: "warning", info: "neutral" };
type Severity = "error" | "warning" | "info";

interface Rule {
  rule: string;
  count: number;
  severity?: string;
  title?: string;
  message?: string;
  table?: string;
}

/** What the checks found, by rule and one by one, with a way to the row. */
export function Findings({
  severity,
  rule,
  table,
}: {
  severity: string | undefined;
  rule: string | undefined;
  table: string | undefined;
}) {
  const { projectId } = useProject();
  const { runId } = route.useParams();
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["project", projectId, "runs", runId, "findings", severity, rule, table],
    staleTime: Infinity,
    queryFn: () =>
      take(
        api.GET("/api/projects/{project_id}/runs/{run_id}/findings", {
          params: {
            path: { project_id: projectId, run_id: runId },
            query: { severity: severity as Severity | undefined, rule, table, limit: 500 },
          },
        }),
      ),
  });
  const show = (change: { severity?: string | undefined; rule?: string | undefined }) =>
    void navigate({
      to: "/projects/$projectId/runs/$runId",
      params: { projectId, runId },
      search: (old) => ({ ...old, ...change }),
    });
  if (found.isPending) return <Waiting for="Loading what the checks found" />;
  if (found.isError) return <ProblemBox error={found.error} />;
  const rules = (found.data.rules as unknown as Rule[]).filter((rule) => rule.count > 0);
  return (
    <>
      <p className="mb-4">{found.data.headline}</p>
      {rules.length === 0 && (
        <Empty title="Nothing found">All {number(found.data.rules.length)} rules hold in what was made.</Empty>
      )}
      {rules.length > 0 && (
        <Section title="By rule">
          <Grid label="Rules" head={["Rule", "Severity", "Findings", "What it says", ""]}>
            {rules.map((each) => (
              <tr key={each.rule}>
                <th scope="row" className="whitespace-nowrap">
                  {each.rule}
                </th>
                <td>
                  <Badge tone={TONES[each.severity ?? ""] ?? "neutral"}>{each.severity ?? "–"}</Badge>
                </td>
                <td className="numbers">{number(each.count)}</td>
                <td>{each.title ?? each.message}</td>
                <td className="text-right whitespace-nowrap">
                  <OnlyButton name={each.rule} only={rule} onChange={(next) => show({ rule: next })} />
                </td>
              </tr>
            ))}
          </Grid>
        </Section>
      )}
      {(found.data.items.length > 0 || severity || rule) && (
        <Section
          title={`One by one (${count(found.data.matching, "finding")})`}
          actions={
            <Select
              label="Severity"
              hideLabel
              className="w-44"
              options={[
                { value: "all", text: "All severities" },
                { value: "error", text: "Errors" },
                { value: "warning", text: "Warnings" },
                { value: "info", text: "For information" },
              ]}
              value={severity ?? "all"}
              onChange={(value) => show({ severity: value === "all" ? undefined : value })}
            />
          }
        >
          <Grid label="Findings" head={["Rule", "Where", "Values", "What", ""]}>
            {found.data.items.map((item: Schemas["Finding"], at) => (
              <tr key={at}>
                <th scope="row" className="whitespace-nowrap">
                  {item.rule}
                </th>
                <td>
                  {[item.table, item.row != null && `row ${number(item.row)}`, item.subject].filter(Boolean).join(", ")}
                </td>
                <td className="font-mono text-sm break-all">
                  {item.variables}
                  {item.values ? ` = ${item.values}` : ""}
                </td>
                <td>{item.message}</td>
                <RowLinkCell runId={runId} table={item.table} row={item.row} />
              </tr>
            ))}
          </Grid>
          {found.data.matching > found.data.items.length && (
            <p className="mt-2 text-muted">
              The first {number(found.data.items.length)}. All are in findings.json of the download.
            </p>
          )}
        </Section>
      )}
    </>
  );
}
