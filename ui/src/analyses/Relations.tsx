import { Button } from "@/parts/Button";
import { Grid, Section } from "@/parts/Layout";
import { Badge } from "@/parts/Notices";
import { useToasts } from "@/parts/Toasts";
import { count, number } from "@/format";
import type { Explanation, Profile } from "@/queries";

import { type Correction, correctionText, useCorrections } from "@/generate/corrections";
import { useProject } from "@/projects/Project";

import { Diagram, parseReference } from "./Diagram";

/** How tables hang together, and what is computed from what; what is not so can be said. */
export function Relations({ profile, explanation }: { profile: Profile; explanation: Explanation }) {
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
                <li key={line} className="flex items-center justify-between gap-3 px-4 py-2">
                  <span className="min-w-0 break-words">{line}</span>
                  {title === "References" && <DenyReference said={line} />}
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
            <Grid label={title} head={["Table", "Variable and how", "Rows", "Exceptions", ""]}>
              {lines.map((line) => (
                <tr key={`${line.table}.${line.variable}.${line.said}`}>
                  <th scope="row">{line.table}</th>
                  <td className="break-words">{line.said}</td>
                  <td className="numbers">{number(line.rows)}</td>
                  <td className="numbers">
                    {line.exceptions > 0 ? <Badge tone="warning">{count(line.exceptions, "row")}</Badge> : "none"}
                  </td>
                  <td className="text-right">
                    <NotSo
                      what={`${line.table}.${line.variable}`}
                      correction={{
                        deny: line.template === "lookup" ? "dependency" : "derivation",
                        variable: `${line.table}.${line.variable}`,
                      }}
                    />
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

function DenyReference({ said }: { said: string }) {
  const found = parseReference(said);
  if (!found) return null;
  const variable = `${found.from}.${found.by.split(", ").at(-1)}`;
  return <NotSo what={said} correction={{ deny: "reference", variable }} />;
}

/** Says that something found does not hold. */
function NotSo({ what, correction }: { what: string; correction: Correction }) {
  const { projectId, may } = useProject();
  const { add, corrections } = useCorrections(projectId);
  const { tell } = useToasts();
  if (!may("runs.write")) return null;
  const noted = corrections.some((each) => JSON.stringify(each) === JSON.stringify(correction));
  return (
    <Button
      look="quiet"
      isDisabled={noted}
      onPress={() => {
        add(correction);
        tell(`${correctionText(correction)}: noted.`);
      }}
    >
      {noted ? "Noted" : "Not so"}
      <span className="sr-only">: {what}</span>
    </Button>
  );
}
