import { getRouteApi, Link } from "@tanstack/react-router";

import { Grid, Section, Stat, Stats } from "@/parts/Layout";
import { Badge, Notice } from "@/parts/Notices";
import { count, number, seconds } from "@/format";

import { useProject } from "@/projects/Project";

import { type Summary, total } from "./result";
import { Verdicts } from "./Verdicts";

const route = getRouteApi("/inside/projects/$projectId/runs/$runId");

/** A run that is done, at a glance. */
export function SummaryView({ summary, took }: { summary: Summary; took: number | null }) {
  const { projectId } = useProject();
  const { runId } = route.useParams();
  return (
    <>
      <Stats>
        {summary.subjects != null && <Stat label="Subjects" value={number(summary.subjects)} />}
        <Stat label="Rows" value={number(total(summary.rows))} />
        <Stat label="Tables" value={number(summary.tables.length)} />
        <Stat
          label="Took"
          value={took === null ? "nothing" : seconds(took)}
          note={took === null ? "found in the cache" : undefined}
        />
        {summary.validation && (
          <Stat
            label="Checks"
            value={summary.validation.ok ? "Passed" : count(summary.validation.findings, "finding")}
            note={[
              summary.validation.ok && summary.validation.findings > 0 && count(summary.validation.findings, "finding"),
              `${number(summary.validation.checked)} rules`,
            ]
              .filter(Boolean)
              .join(", ")}
          />
        )}
      </Stats>
      {summary.validation && (
        <div className="mb-6">
          <Notice tone={summary.validation.ok || summary.answers ? "info" : "warning"}>
            {summary.validation.headline}
            {summary.answers && ". Faults were asked for, so findings are expected."}
          </Notice>
        </div>
      )}
      {summary.scores && <Verdicts scores={summary.scores} />}
      {summary.notes.length > 0 && (
        <Section title="Notes of the run">
          <Notice>
            <ul className="grid gap-1">
              {summary.notes.map((note) => (
                <li key={note} className="break-words">
                  {note}
                </li>
              ))}
            </ul>
          </Notice>
        </Section>
      )}
      <Section title="Tables">
        <Grid label="Tables" head={["Table", "Rows", ""]}>
          {summary.tables.map((table) => (
            <tr key={table.table}>
              <th scope="row">{table.table}</th>
              <td className="numbers">{number(table.rows)}</td>
              <td className="text-right">
                <Link
                  to="/projects/$projectId/runs/$runId"
                  params={{ projectId, runId }}
                  search={{ view: "data", table: table.table }}
                  className="link"
                >
                  Look at the rows<span className="sr-only"> of {table.table}</span>
                </Link>
              </td>
            </tr>
          ))}
        </Grid>
      </Section>
      {summary.answers && (
        <p className="mb-6">
          <Badge tone="warning">with faults</Badge>{" "}
          <Link
            to="/projects/$projectId/runs/$runId"
            params={{ projectId, runId }}
            search={{ view: "faults" }}
            className="link"
          >
            Where they are, and what was there before
          </Link>
        </p>
      )}
    </>
  );
}
