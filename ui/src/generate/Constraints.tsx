import { Wand2 } from "lucide-react";
import { useState } from "react";

import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import type { Profile } from "@/queries";

import { Builder } from "./Builder";
import { parseConstraints } from "./request";
import type { Checked } from "./useChecked";

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
  profile: Profile | undefined;
  checked: Checked | undefined;
  example: string;
}) {
  const [building, setBuilding] = useState(false);
  const { found, wrong } = parseConstraints(text);
  const told = (checked?.problems ?? []).filter((each) => each.place.startsWith("constraints."));
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
        <ul aria-label="Problems of the rules" className="grid gap-1 text-sm text-danger">
          {told.map((each) => {
            const line = found[Number(each.place.split(".")[1])];
            return (
              <li key={each.place}>
                {line && (
                  <code>
                    {line.domain}: {line.rule}
                  </code>
                )}{" "}
                {each.message} {each.hint}
              </li>
            );
          })}
        </ul>
      )}
      {!wrong && found.length > 0 && told.length === 0 && checked?.checked === "names" && (
        <p role="status" className="text-sm text-success">
          {found.length === 1 ? "The rule fits" : `The ${found.length} rules fit`} the tables and variables of the
          source.
        </p>
      )}
    </div>
  );
}
