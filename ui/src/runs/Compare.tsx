import { useQueries } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { Schemas } from "@/api/client";
import { ButtonLink } from "@/parts/Button";
import { Grid, PageHead, Section } from "@/parts/Layout";
import { Badge, Empty, ProblemBox, StateBadge, Waiting } from "@/parts/Notices";
import { moment, number, seconds } from "@/format";
import * as ask from "@/queries";

import { useProject } from "@/projects/Project";

import { RunLink } from "./links";
import { type Summary, total } from "./result";
import { words } from "./words";

type RunOut = Schemas["RunOut"];
const route = getRouteApi("/inside/projects/$projectId/compare");
const TONES = { good: "good", fair: "warning", poor: "bad", none: "neutral" } as const;

export const documentOf = (run: Pick<RunOut, "request">) =>
  (run.request["document"] as Record<string, unknown> | undefined) ?? run.request;

/** Runs side by side: what was asked, what came of it. Lines in which they differ are marked. */
export function Compare() {
  const { projectId } = useProject();
  const { runs: ids = "" } = route.useSearch();
  const found = useQueries({
    queries: ids
      .split(",")
      .filter(Boolean)
      .slice(0, 4)
      .map((id) => ask.run(projectId, id)),
  });
  const failed = found.find((each) => each.isError);
  if (failed) return <ProblemBox error={failed.error} />;
  if (found.some((each) => !each.data)) return <Waiting for="Loading the runs" />;
  const runs = found.map((each) => each.data!);
  const back = (
    <ButtonLink to="/projects/$projectId/runs" params={{ projectId }}>
      To the runs
    </ButtonLink>
  );
  if (runs.length < 2)
    return (
      <Empty title="Nothing to compare" action={back}>
        Choose two to four runs in the list.
      </Empty>
    );
  const summaries = runs.map((run) => run.summary as Summary | null);
  const keys = [...new Set(runs.flatMap((run) => Object.keys(documentOf(run))))].sort();
  const tables = [...new Set(summaries.flatMap((each) => each?.tables.map((table) => table.table) ?? []))];
  const scores = [...new Set(summaries.flatMap((each) => Object.keys(each?.scores ?? {})))];
  const rules = [...new Set(summaries.flatMap((each) => each?.validation?.broken.map((rule) => rule.rule) ?? []))];
  const head = ["", ...runs.map((run) => <RunLink key={run.id} run={run} />)];
  const differing = keys.filter((key) => new Set(runs.map((run) => words(documentOf(run)[key]))).size > 1);
  return (
    <>
      <PageHead title="Runs side by side" actions={back}>
        Lines in which the runs differ are marked.
      </PageHead>
      <Section title="What was asked">
        <Grid label="What was asked" head={head}>
          <Line name="Started" values={runs.map((run) => moment(run.created_at))} same />
          {keys.map((key) => (
            <Line
              key={key}
              name={key.replaceAll("_", " ")}
              values={runs.map((run) => (
                <span key={run.id} className="font-mono text-sm break-words">
                  {words(documentOf(run)[key])}
                </span>
              ))}
              same={!differing.includes(key)}
            />
          ))}
        </Grid>
      </Section>
      <Section title="What came of it">
        <Grid label="What came of it" head={head}>
          <Line
            name="State"
            values={runs.map((run) => (
              <StateBadge key={run.id} state={run.job.state} />
            ))}
            same
          />
          <Numbers name="Subjects" values={summaries.map((each) => each?.subjects ?? null)} />
          <Numbers name="Rows" values={summaries.map((each) => (each ? total(each.rows) : null))} />
          <Line
            name="Took"
            values={runs.map((run) =>
              run.job.state !== "done"
                ? "–"
                : run.job.cache === "hit"
                  ? "found in the cache"
                  : seconds(run.job.seconds),
            )}
            same
          />
          <Numbers name="Findings of the checks" values={summaries.map((each) => each?.validation?.findings ?? null)} />
        </Grid>
      </Section>
      {scores.length > 0 && (
        <Section title="Against the source">
          <Grid label="Against the source" head={head}>
            {scores.map((name) => {
              const own = summaries.map((each) => each?.scores?.[name]);
              return (
                <Line
                  key={name}
                  name={own.find(Boolean)!.title}
                  values={own.map((score, at) =>
                    score ? (
                      <span key={at} className="numbers flex items-center gap-2">
                        {score.value === null ? "–" : number(score.value, 3)}
                        <Badge tone={TONES[score.verdict]}>
                          {score.verdict === "none" ? "not judged" : score.verdict}
                        </Badge>
                      </span>
                    ) : (
                      "no report"
                    ),
                  )}
                  same={new Set(own.map((score) => score?.verdict)).size < 2}
                />
              );
            })}
          </Grid>
        </Section>
      )}
      {rules.length > 0 && (
        <Section title="Findings by rule">
          <Grid label="Findings by rule" head={head}>
            {rules.map((rule) => (
              <Numbers
                key={rule}
                name={rule}
                values={summaries.map((each) =>
                  each?.validation ? (each.validation.broken.find((one) => one.rule === rule)?.count ?? 0) : null,
                )}
              />
            ))}
          </Grid>
        </Section>
      )}
      {tables.length > 0 && (
        <Section title="Rows by table">
          <Grid label="Rows by table" head={head}>
            {tables.map((name) => (
              <Numbers
                key={name}
                name={name}
                values={summaries.map((each) => each?.tables.find((table) => table.table === name)?.rows ?? null)}
              />
            ))}
          </Grid>
        </Section>
      )}
    </>
  );
}

function Numbers({ name, values }: { name: string; values: (number | null)[] }) {
  return (
    <Line
      name={name}
      values={values.map((value) => (value === null ? "–" : number(value)))}
      same={new Set(values).size < 2}
    />
  );
}

function Line({ name, values, same }: { name: string; values: ReactNode[]; same: boolean }) {
  return (
    <tr className={same ? "" : "bg-accent-soft"}>
      <th scope="row">
        {name}
        {!same && <span className="sr-only"> (differs)</span>}
      </th>
      {values.map((value, at) => (
        <td key={at} className="numbers">
          {value}
        </td>
      ))}
    </tr>
  );
}
