import { Wand2 } from "lucide-react";
import { useState } from "react";

import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import type { Known } from "@/queries";

import { Builder } from "./Builder";
import { parseConstraints } from "./request";
import { type Checked, saidAgainst } from "./useChecked";

/** Rules as lines of text, with a builder that writes them and the service's word on each. */
export function Constraints({
  text,
  onChange,
  profile,
  checked,
  example,
}: {
  text: string;
  onChange: (text: string) => void;
  profile: Known | undefined;
  checked: Checked | undefined;
  example: string;
}) {
  const [building, setBuilding] = useState(false);
  const { found, wrong } = parseConstraints(text);
  const together = new Map<string, Checked["problems"]>();
  const told = (checked?.problems ?? []).filter((each) => each.place.startsWith("constraints."));
  for (const each of told) together.set(saidAgainst(each), [...(together.get(saidAgainst(each)) ?? []), each]);
  return (
    <div className="grid gap-3">
      {profile && (building || text === "") && (
        <Builder
          profile={profile}
          onAdd={(line) => {
            onChange(text.trim() === "" ? line : `${text.trimEnd()}\n${line}`);
            setBuilding(false);
          }}
        />
      )}
      {profile && !building && text !== "" && (
        <Button className="justify-self-start" onPress={() => setBuilding(true)}>
          <Wand2 aria-hidden className="size-4" /> Build another rule
        </Button>
      )}
      <TextField
        search
        label="Rules"
        multiline={3}
        mono
        placeholder={example}
        value={text}
        onChange={onChange}
        wrong={wrong ?? undefined}
        help={
          <>
            Comparisons, <code>between</code>, <code>in</code>, <code>is missing</code>, <code>and</code>,{" "}
            <code>or</code>, <code>implies</code>; other tables of the subject as <code>DM.SEX</code>.
          </>
        }
      />
      {told.length > 0 && (
        <ul aria-label="Problems of the rules" className="grid gap-2 text-sm text-danger">
          {[...together].map(([said, places]) => (
            <li key={said}>
              {places.map(({ place, position }) => {
                const line = found[Number(place.split(".")[1])];
                const named = line && said.includes(`${line.domain}: ${line.rule}`);
                return (
                  line && !named && <Marked key={place} domain={line.domain} rule={line.rule} position={position} />
                );
              })}
              {said}
            </li>
          ))}
        </ul>
      )}
      {!wrong && found.length > 0 && told.length === 0 && FITS[checked?.checked ?? ""] && (
        <p role="status" className="text-sm text-success">
          {found.length === 1 ? "The rule fits" : `The ${found.length} rules fit`} {FITS[checked!.checked]}
        </p>
      )}
    </div>
  );
}

const FITS: Record<string, string> = {
  names: "the tables and variables of the source.",
  model: "what was learned, and each other.",
};

/** A rule, with the word marked at which it cannot be read. */
function Marked({ domain, rule, position }: { domain: string; rule: string; position: number | null | undefined }) {
  const at = position == null ? rule.length : Math.min(position - 1, rule.length);
  const [word] = /^\S*/.exec(rule.slice(at))!;
  return (
    <code className="block break-words">
      {domain}: {rule.slice(0, at)}
      {position != null && <mark className="bg-danger-soft font-semibold text-danger underline">{word || "…"}</mark>}
      {rule.slice(at + word.length)}
    </code>
  );
}
