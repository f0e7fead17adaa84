import { Trash2 } from "lucide-react";

import { Button } from "@/parts/Button";
import { NumberField, Select } from "@/parts/Fields";
import { Notice } from "@/parts/Notices";
import { number } from "@/format";
import type { Known } from "@/queries";

import type { Mix } from "./request";

interface Group {
  name: string;
  label: string;
  values: { value: string }[];
}

/** Columns of the subjects' table by which subjects can be counted: arm, site, and other categories known at entry. */
export function groupsOf(profile: Known): Group[] {
  const root = profile.tables.find((table) => table.name === profile.root);
  const labels = new Map(root?.columns.map((column) => [column.name, column.label]));
  const found: Group[] = [];
  if (profile.arm) found.push({ name: profile.arm, label: labels.get(profile.arm) || "Arm", values: profile.arms });
  if (profile.site)
    found.push({ name: profile.site, label: labels.get(profile.site) || "Site", values: profile.sites });
  for (const column of root?.columns ?? []) {
    const many = column.categories?.length ?? 0;
    const known = found.some((group) => group.name === column.name);
    if (known || column.computed || !["category", "flag"].includes(column.kind) || many < 2 || many > 12) continue;
    found.push({
      name: column.name,
      label: column.label || column.name,
      values: column.categories!,
    });
  }
  return found;
}

interface Props {
  profile: Known;
  mixes: Mix[];
  subjects: number;
  /** What the service says against them. */
  wrong: string | undefined;
  onChange: (mixes: Mix[]) => void;
  onTotal: (subjects: number) => void;
}

export function Mixes({ profile, mixes, subjects, wrong, onChange, onTotal }: Props) {
  const groups = groupsOf(profile);
  const free = groups.filter((group) => !mixes.some((mix) => mix.variable === group.name));
  const set = (at: number, mix: Mix) => onChange(mixes.map((each, here) => (here === at ? mix : each)));
  if (groups.length === 0)
    return <Notice>No column of the subjects&apos; table has few enough values to count by.</Notice>;
  return (
    <div className="grid gap-4">
      {mixes.map((mix, at) => {
        const group = groups.find((each) => each.name === mix.variable);
        const names = [...new Set([...(group?.values.map((each) => each.value) ?? []), ...Object.keys(mix.values)])];
        const sum = Object.values(mix.values).reduce((all, each) => all + each, 0);
        return (
          <div key={mix.variable} role="group" aria-label={mix.variable} className="rounded-lg border border-line p-3">
            <div className="flex flex-wrap items-end gap-3">
              <p className="mr-auto self-center">
                <span className="font-mono">{mix.variable}</span> <span className="text-muted">{group?.label}</span>
              </p>
              <Select
                label={`How ${mix.variable} is given`}
                hideLabel
                className="w-44"
                options={[
                  { value: "ratio", text: "By ratio" },
                  { value: "numbers", text: "Exact numbers" },
                ]}
                value={mix.by}
                onChange={(by) =>
                  set(at, {
                    ...mix,
                    by,
                    values:
                      by === "numbers"
                        ? sharedOut(mix.values, subjects)
                        : Object.fromEntries(names.map((name) => [name, 1])),
                  })
                }
              />
              <Button
                aria-label={`Remove ${mix.variable}`}
                onPress={() => onChange(mixes.filter((_, here) => here !== at))}
              >
                <Trash2 aria-hidden className="size-4" />
              </Button>
            </div>
            <div className="mt-3 grid grid-cols-[repeat(auto-fill,minmax(9rem,1fr))] gap-3">
              {names.map((name) => (
                <NumberField
                  key={name}
                  label={name === "" ? "without a value" : name}
                  minValue={0}
                  value={mix.values[name] ?? 0}
                  onChange={(value) =>
                    set(at, { ...mix, values: { ...mix.values, [name]: Number.isFinite(value) ? value : 0 } })
                  }
                />
              ))}
            </div>
            {mix.by === "numbers" && sum !== subjects && (
              <div className="mt-3 flex flex-wrap items-center gap-3">
                <span className="text-warning">
                  Together {number(sum)}, but {number(subjects)} subjects are asked for.
                </span>
                {sum > 0 && <Button onPress={() => onTotal(sum)}>Ask for {number(sum)}</Button>}
              </div>
            )}
          </div>
        );
      })}
      {wrong && (
        <p role="alert" className="text-sm text-danger">
          {wrong}
        </p>
      )}
      {free.length > 0 && (
        <Select
          label="Count by"
          className="max-w-xs"
          placeholder="Add arm, site, sex…"
          options={free.map((group) => ({
            value: group.name,
            text: `${group.name} · ${group.label}`,
            help: `${group.values.length} values`,
          }))}
          value={null}
          onChange={(name) => {
            const group = groups.find((each) => each.name === name)!;
            onChange([
              ...mixes,
              { variable: name, by: "ratio", values: Object.fromEntries(group.values.map((each) => [each.value, 1])) },
            ]);
          }}
        />
      )}
    </div>
  );
}

/** Whole numbers in proportion to `parts` that sum up to `all`. */
export function sharedOut(parts: Record<string, number>, all: number): Record<string, number> {
  const sum = Object.values(parts).reduce((total, each) => total + each, 0);
  if (sum === 0) return parts;
  const exact = Object.entries(parts).map(([name, part]) => ({ name, value: (all * part) / sum }));
  const found = Object.fromEntries(exact.map((each) => [each.name, Math.floor(each.value)]));
  let left = all - Object.values(found).reduce((total, each) => total + each, 0);
  for (const each of exact.sort((a, b) => (b.value % 1) - (a.value % 1))) {
    if (left <= 0) break;
    found[each.name]! += 1;
    left -= 1;
  }
  return found;
}
