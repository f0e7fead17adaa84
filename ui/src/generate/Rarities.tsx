import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";

import type { Schemas } from "@/api/client";
import { Button } from "@/parts/Button";
import { NumberField, Select, TextField } from "@/parts/Fields";
import type { Known } from "@/queries";

import { Builder } from "./Builder";
import type { Amount, Rare, Scenario } from "./request";
import { type Checked, problemAt } from "./useChecked";

const AMOUNT_WORDS: { value: Amount; text: string }[] = [
  { value: "times", text: "times as many rows" },
  { value: "subjects", text: "subjects at least" },
  { value: "exactly", text: "subjects exactly" },
];

/** Events that are to be more frequent, and scenarios that some subjects are to go through. */
export function Rarities({
  rare,
  scenarios,
  tables,
  profile,
  known,
  checked,
  onRare,
  onScenarios,
}: {
  rare: Rare[];
  scenarios: Scenario[];
  tables: string[];
  profile: Known | undefined;
  known: Schemas["ScenarioShown"][];
  checked: Checked | undefined;
  onRare: (rare: Rare[]) => void;
  onScenarios: (scenarios: Scenario[]) => void;
}) {
  const [building, setBuilding] = useState(false);
  const add = (domain: string, where: string) => {
    onRare([...rare, { domain, where, by: "times", amount: 2 }]);
    setBuilding(false);
  };
  const byHand = () => add(tables.includes("AE") ? "AE" : (tables[0] ?? ""), "");
  return (
    <div className="grid gap-3">
      {rare.map((each, at) => (
        <div
          key={at}
          role="group"
          aria-label={`Rare event ${at + 1}`}
          className="grid items-start gap-3 sm:grid-cols-[7rem_1fr_6rem_14rem_auto]"
        >
          <Select
            label="Table"
            options={[...new Set([...tables, each.domain])].map((value) => ({ value, text: value }))}
            value={each.domain}
            onChange={(domain) => onRare(replaced(rare, at, { ...each, domain }))}
          />
          <TextField
            label="Rows where"
            isRequired
            mono
            placeholder="AESER = 'Y'"
            wrong={each.where ? problemAt(checked, `rare_events.${at}`) : undefined}
            value={each.where}
            onChange={(where) => onRare(replaced(rare, at, { ...each, where }))}
          />
          <NumberField
            label="How many"
            minValue={each.by === "times" ? 0.1 : each.by === "exactly" ? 0 : 1}
            maxValue={each.by === "times" ? 1000 : 10_000_000}
            value={each.amount}
            onChange={(amount) => onRare(replaced(rare, at, { ...each, amount: Number.isFinite(amount) ? amount : 1 }))}
          />
          <Select
            label="Of what"
            options={AMOUNT_WORDS}
            value={each.by}
            onChange={(by) => onRare(replaced(rare, at, { ...each, by, amount: Math.ceil(each.amount) }))}
          />
          <Button
            aria-label="Remove the rare event"
            className="justify-self-start sm:mt-6"
            onPress={() => onRare(without(rare, at))}
          >
            <Trash2 aria-hidden className="size-4" />
          </Button>
        </div>
      ))}
      {scenarios.map((each, at) => (
        <div key={at} className="grid items-start gap-3 sm:grid-cols-[1fr_9rem_auto]">
          <Select
            label="Scenario"
            options={known.map((one) => ({
              value: one.name,
              text: one.name.replaceAll("-", " "),
              help: plain(one.summary),
            }))}
            value={each.name}
            onChange={(chosen) => onScenarios(replaced(scenarios, at, { name: chosen, subjects: each.subjects }))}
            help={plain(known.find((one) => one.name === each.name)?.summary ?? "")}
          />
          <NumberField
            label="Subjects exactly"
            minValue={1}
            value={each.subjects}
            onChange={(subjects) => onScenarios(replaced(scenarios, at, { ...each, subjects: subjects || 1 }))}
          />
          <Button
            aria-label="Remove the scenario"
            className="justify-self-start sm:mt-6"
            onPress={() => onScenarios(without(scenarios, at))}
          >
            <Trash2 aria-hidden className="size-4" />
          </Button>
          <Parameters
            of={known.find((one) => one.name === each.name)}
            values={each.with ?? {}}
            onChange={(values) => {
              const { with: _before, ...rest } = each;
              onScenarios(replaced(scenarios, at, Object.keys(values).length ? { ...rest, with: values } : rest));
            }}
          />
          {problemAt(checked, `scenarios.${at}`) && (
            <p role="alert" className="text-sm text-danger sm:col-span-3">
              {problemAt(checked, `scenarios.${at}`)}
            </p>
          )}
        </div>
      ))}
      {profile && building && (
        <Builder
          profile={profile}
          label="Which rows are the event"
          action="Add the rare event"
          onAdd={(_line, domain, where) => add(domain, where)}
        />
      )}
      <div className="flex flex-wrap gap-2">
        {building && <Button onPress={byHand}>Write it by hand</Button>}
        {!building && (
          <Button onPress={() => (profile ? setBuilding(true) : byHand())}>
            <Plus aria-hidden className="size-4" /> Rare event
          </Button>
        )}
        <Button
          isDisabled={known.length === 0}
          onPress={() => onScenarios([...scenarios, { name: known[0]?.name ?? "", subjects: 1 }])}
        >
          <Plus aria-hidden className="size-4" /> Scenario
        </Button>
      </div>
    </div>
  );
}

const replaced = <T,>(list: T[], at: number, value: T) => list.map((each, here) => (here === at ? value : each));
const without = <T,>(list: T[], at: number) => list.filter((_, here) => here !== at);

/** A summary without the marks of its source's format. */
const plain = (text: string) => text.replaceAll("`", "");

/** Fields for the parameters of a scenario; an empty one leaves its own value. */
function Parameters({
  of,
  values,
  onChange,
}: {
  of: Schemas["ScenarioShown"] | undefined;
  values: Record<string, unknown>;
  onChange: (values: Record<string, unknown>) => void;
}) {
  const parameters = Object.entries(of?.parameters ?? {});
  if (parameters.length === 0) return null;
  return (
    <div className="grid gap-3 sm:col-span-3 sm:grid-cols-3">
      {parameters.map(([name, own]) => (
        <Parameter
          key={`${of!.name} ${name}`}
          name={name}
          own={own}
          value={values[name]}
          onChange={(value) => {
            const { [name]: _before, ...others } = values;
            onChange(value === undefined ? others : { ...others, [name]: value });
          }}
        />
      ))}
    </div>
  );
}

/** One of them: what is written stays as it is while it is written. */
function Parameter({
  name,
  own,
  value,
  onChange,
}: {
  name: string;
  own: unknown;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const [text, setText] = useState(said(value ?? ""));
  return (
    <TextField
      search
      label={name.replaceAll("_", " ")}
      placeholder={said(own)}
      value={text}
      onChange={(next) => {
        setText(next);
        onChange(next.trim() === "" ? undefined : meant(next.trim(), own));
      }}
    />
  );
}

const said = (value: unknown) => (Array.isArray(value) ? value.join(", ") : String(value));

/** What a text says for a parameter: a list where its own value is one, a number where the text is one. */
function meant(text: string, own: unknown): unknown {
  if (Array.isArray(own)) return text.split(",").map((part) => meant(part.trim(), own[0]));
  return typeof own === "number" && Number.isFinite(Number(text)) ? Number(text) : text;
}
