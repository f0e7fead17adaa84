import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";

import { isOpen } from "@/api/useJob";
import { ButtonLink } from "@/parts/Button";
import { JobLine } from "@/parts/JobLine";
import { Bars } from "@/parts/Bars";
import { Grid, PageHead, Section, Stat, Stats } from "@/parts/Layout";
import { Badge, Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { TabBar, tabClass } from "@/parts/Tabs";
import { count, number } from "@/format";
import * as ask from "@/queries";
import type { Explanation, Profile } from "@/queries";

import { useProject } from "@/projects/Project";

import { Diagram } from "./Diagram";
import { Table } from "./Table";
import { Visits } from "./Visits";

const route = getRouteApi("/inside/projects/$projectId/analyses/$analysisId");

const VIEWS = [
  [undefined, "Overview"],
  ["tables", "Tables and variables"],
  ["relations", "Relations"],
] as const;

export function Analysis() {
  const { projectId, may } = useProject();
  const { analysisId } = route.useParams();
  const { view, table, find } = route.useSearch();
  const navigate = useNavigate();
  const found = useQuery(ask.analysis(projectId, analysisId));
  const done = found.data?.job.state === "done";
  const profile = useQuery({ ...ask.profile(projectId, analysisId), enabled: done });
  const explanation = useQuery({ ...ask.explanation(projectId, analysisId), enabled: done });

  if (found.isPending) return <Waiting for="Loading the analysis" />;
  if (found.isError) return <ProblemBox error={found.error} onRetry={() => void found.refetch()} />;
  const analysis = found.data;
  const error = profile.error ?? explanation.error;
  return (
    <>
      <PageHead
        title="What was found"
        actions={
          may("runs.write") && (
            <ButtonLink
              look="primary"
              to="/projects/$projectId/generate"
              params={{ projectId }}
              search={{ dataset: analysis.dataset_id }}
            >
              Generate subjects
            </ButtonLink>
          )
        }
      >
        In{" "}
        <Link
          to="/projects/$projectId/data/$datasetId"
          params={{ projectId, datasetId: analysis.dataset_id }}
          search={{}}
          className="link"
        >
          {analysis.name}
        </Link>
      </PageHead>
      {(isOpen(analysis.job.state) || analysis.job.state === "failed") && (
        <div className="panel p-4">
          <JobLine projectId={projectId} job={analysis.job} refresh={["project", projectId, "analyses"]} />
        </div>
      )}
      {analysis.job.state === "cancelled" && <Notice>The analysis was cancelled.</Notice>}
      {error && <ProblemBox error={error} />}
      {done && !error && (
        <>
          <TabBar label="Views of the analysis">
            {VIEWS.map(([key, text]) => (
              <li key={text}>
                <Link
                  to="/projects/$projectId/analyses/$analysisId"
                  params={{ projectId, analysisId }}
                  search={{ view: key }}
                  activeOptions={{ explicitUndefined: true }}
                  className={tabClass}
                >
                  {text}
                </Link>
              </li>
            ))}
          </TabBar>
          {profile.data && explanation.data ? (
            view === "tables" ? (
              <Table
                profile={profile.data}
                explanation={explanation.data}
                table={table}
                find={find ?? ""}
                onShow={(change) =>
                  void navigate({
                    to: "/projects/$projectId/analyses/$analysisId",
                    params: { projectId, analysisId },
                    search: (old) => ({ ...old, ...change }),
                    replace: "find" in change,
                  })
                }
              />
            ) : view === "relations" ? (
              <Relations profile={profile.data} explanation={explanation.data} />
            ) : (
              <Overview profile={profile.data} explanation={explanation.data} />
            )
          ) : (
            <Waiting for="Loading what was found" />
          )}
        </>
      )}
    </>
  );
}

const LAYOUTS: Record<string, string> = {
  subject: "a row a subject",
  events: "events of subjects",
  intervals: "intervals of subjects",
  findings: "results by test and visit",
  visits: "visits of subjects",
  supplement: "additions to another table",
  reference: "design of the study",
  relation: "relations between rows",
  comment: "comments",
  sets: "sets of rows a subject",
};

export const layoutWords = (layout: string) => LAYOUTS[layout] ?? layout;

function Overview({ profile, explanation }: { profile: Profile; explanation: Explanation }) {
  const { projectId } = useProject();
  const { analysisId } = route.useParams();
  return (
    <>
      <Stats>
        <Stat label="Study" value={profile.name || "–"} note={profile.standard ?? undefined} />
        <Stat
          label="Subjects"
          value={number(profile.subjects)}
          note={profile.subject_key ? `told apart by ${profile.subject_key}` : undefined}
        />
        <Stat label="Tables" value={number(profile.tables.length)} />
        <Stat label="Rows" value={number(profile.rows)} />
        <Stat
          label="Computed variables"
          value={number(explanation.derivations.length)}
          note="computed anew, never drawn"
        />
        <Stat label="References" value={number(explanation.references.length)} note="between tables" />
      </Stats>
      {profile.pii.length > 0 && (
        <div className="mb-6">
          <Notice tone="warning">
            Personal data, replaced by invented values in everything that is generated: {profile.pii.join(", ")}.
          </Notice>
        </div>
      )}
      <div className="grid gap-x-8 lg:grid-cols-2">
        {profile.arms.length > 0 && (
          <Section title={`Arms (${profile.arm})`}>
            <Bars
              label="Subjects by arm"
              items={profile.arms.map((arm) => ({ name: arm.value, value: arm.subjects }))}
              of={profile.subjects}
              unit="subjects"
            />
          </Section>
        )}
        {profile.sites.length > 0 && (
          <Section title={`Sites (${profile.site})`}>
            <Bars
              label="Subjects by site"
              items={profile.sites.slice(0, 12).map((site) => ({ name: site.value, value: site.subjects }))}
              of={profile.subjects}
              unit="subjects"
            />
            {profile.sites.length > 12 && (
              <p className="mt-2 text-sm text-muted">and {profile.sites.length - 12} more</p>
            )}
          </Section>
        )}
      </div>
      {profile.visits.length > 0 && (
        <Section title="Visits">
          <Visits visits={profile.visits} subjects={profile.subjects} />
        </Section>
      )}
      <Section title="Tables">
        <Grid label="Tables" head={["Table", "Holds", "Rows", "Subjects", "Variables", "Key"]}>
          {profile.tables.map((table) => (
            <tr key={table.name}>
              <th scope="row" className="whitespace-nowrap">
                <Link
                  to="/projects/$projectId/analyses/$analysisId"
                  params={{ projectId, analysisId }}
                  search={{ view: "tables", table: table.name }}
                  className="link"
                >
                  {table.name}
                </Link>
                {table.label && <span className="font-normal text-muted"> {table.label}</span>}
              </th>
              <td>{layoutWords(table.layout)}</td>
              <td className="numbers">{number(table.rows)}</td>
              <td className="numbers">{number(table.subjects)}</td>
              <td className="numbers">{number(table.columns.length)}</td>
              <td className="text-sm">{table.key.join(", ") || "none found"}</td>
            </tr>
          ))}
        </Grid>
      </Section>
      {explanation.not_learned.length > 0 && (
        <Section title="Worth knowing">
          <Notice>
            <ul className="grid gap-1">
              {explanation.not_learned.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </Notice>
        </Section>
      )}
    </>
  );
}

function Relations({ profile, explanation }: { profile: Profile; explanation: Explanation }) {
  const parts: [string, string, string[]][] = [
    [
      "References",
      "Columns that name rows of another table; they name rows that are there in what is generated.",
      explanation.references,
    ],
    ["Links", "What a subject's record says and a row elsewhere shows.", explanation.links],
    ["Orders", "What never comes before what within a row.", explanation.orders],
    ["Supplements", "Tables that add variables to others.", explanation.supplements],
  ];
  const computed: [string, string, Explanation["derivations"]][] = [
    ["Computed variables", "Found by the data, and computed anew for the new subjects.", explanation.derivations],
    ["Decided by a code", "Variables that another one decides.", explanation.dependencies],
  ];
  return (
    <>
      {parts
        .filter(([, , lines]) => lines.length > 0)
        .map(([title, help, lines]) => (
          <Section key={title} title={`${title} (${lines.length})`}>
            <p className="mb-2 text-muted">{help}</p>
            {title === "References" && <Diagram references={lines} />}
            <ul className="panel divide-y divide-line">
              {lines.map((line) => (
                <li key={line} className="px-4 py-2 break-words">
                  {line}
                </li>
              ))}
            </ul>
          </Section>
        ))}
      {computed
        .filter(([, , lines]) => lines.length > 0)
        .map(([title, help, lines]) => (
          <Section key={title} title={`${title} (${lines.length})`}>
            <p className="mb-2 text-muted">{help}</p>
            <Grid label={title} head={["Table", "Variable and how", "Rows", "Exceptions"]}>
              {lines.map((line) => (
                <tr key={`${line.table}.${line.variable}.${line.said}`}>
                  <th scope="row">{line.table}</th>
                  <td className="break-words">{line.said}</td>
                  <td className="numbers">{number(line.rows)}</td>
                  <td className="numbers">
                    {line.exceptions > 0 ? <Badge tone="warning">{count(line.exceptions, "row")}</Badge> : "none"}
                  </td>
                </tr>
              ))}
            </Grid>
          </Section>
        ))}
      {profile.tables.length === 1 && (
        <p className="text-muted">There is one table only, so nothing refers to another.</p>
      )}
    </>
  );
}
