import { Plus, Trash2 } from "lucide-react";

import type { Schemas } from "@/api/client";
import { Button } from "@/parts/Button";
import { NumberField, Select, TextField } from "@/parts/Fields";

import type { Course, Rare } from "./request";
import { type Checked, problemAt } from "./useChecked";

/** Events that are to be more frequent, and courses that some subjects are to have. */
export function Rarities({
  rare,
  scenarios,
  tables,
  known,
  checked,
  onRare,
  onScenarios,
}: {
  rare: Rare[];
  scenarios: Course[];
  tables: string[];
  known: Schemas["ScenarioShown"][];
  checked: Checked | undefined;
  onRare: (rare: Rare[]) => void;
  onScenarios: (scenarios: Course[]) => void;
}) {
  return (
    <div className="grid gap-3">
      {rare.map((each, at) => (
        <div key={at} className="grid items-start gap-3 sm:grid-cols-[7rem_1fr_7rem_auto]">
          <Select
            label="Table"
            options={tables.map((value) => ({ value, text: value }))}
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
            label="Times as many"
            minValue={0.1}
            maxValue={1000}
            value={each.times}
            onChange={(times) => onRare(replaced(rare, at, { ...each, times: times || 1 }))}
          />
          <Button aria-label="Remove the rare event" className="sm:mt-6" onPress={() => onRare(without(rare, at))}>
            <Trash2 aria-hidden className="size-4" />
          </Button>
        </div>
      ))}
      {scenarios.map((each, at) => (
        <div key={at} className="grid items-start gap-3 sm:grid-cols-[1fr_9rem_auto]">
          <Select
            label="Course"
            options={known.map((one) => ({
              value: one.name,
              text: one.name.replaceAll("-", " "),
              help: one.summary,
            }))}
            value={each.name}
            onChange={(chosen) => onScenarios(replaced(scenarios, at, { ...each, name: chosen }))}
            help={known.find((one) => one.name === each.name)?.summary}
          />
          <NumberField
            label="Subjects at least"
            minValue={1}
            value={each.subjects}
            onChange={(subjects) => onScenarios(replaced(scenarios, at, { ...each, subjects: subjects || 1 }))}
          />
          <Button
            aria-label="Remove the course"
            className="sm:mt-6"
            onPress={() => onScenarios(without(scenarios, at))}
          >
            <Trash2 aria-hidden className="size-4" />
          </Button>
          {problemAt(checked, `scenarios.${at}`) && (
            <p role="alert" className="text-sm text-danger sm:col-span-3">
              {problemAt(checked, `scenarios.${at}`)}
            </p>
          )}
        </div>
      ))}
      <div className="flex flex-wrap gap-2">
        <Button
          onPress={() =>
            onRare([...rare, { domain: tables.includes("AE") ? "AE" : (tables[0] ?? ""), where: "", times: 2 }])
          }
        >
          <Plus aria-hidden className="size-4" /> Rare event
        </Button>
        <Button
          isDisabled={known.length === 0}
          onPress={() => onScenarios([...scenarios, { name: known[0]?.name ?? "", subjects: 1 }])}
        >
          <Plus aria-hidden className="size-4" /> Course of subjects
        </Button>
      </div>
    </div>
  );
}

const replaced = <T,>(list: T[], at: number, value: T) => list.map((each, here) => (here === at ? value : each));
const without = <T,>(list: T[], at: number) => list.filter((_, here) => here !== at);
