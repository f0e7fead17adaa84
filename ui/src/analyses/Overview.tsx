import { getRouteApi, Link } from "@tanstack/react-router";

import { Bars } from "@/parts/Bars";
import { Grid, Section, Stat, Stats } from "@/parts/Layout";
import { Notice } from "@/parts/Notices";
import { number } from "@/format";
import type { Explanation, Profile } from "@/queries";

import { useProject } from "@/projects/Project";

import { Diagram } from "./Diagram";
import { layoutWords } from "./layouts";
import { Visits } from "./Visits";

const route = getRouteApi("/inside/projects/$projectId/analyses/$analysisId");

/** The study at a glance: subjects, arms, sites, how tables refer to each other, visits, tables. */
export function Overview({ profile, explanation }: { profile: Profile; explanation: Explanation }) {
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
      {explanation.references.length > 0 && (
        <Section title="How tables refer to each other">
          <Diagram references={explanation.references} />
        </Section>
      )}
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
