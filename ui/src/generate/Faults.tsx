import type { Schemas } from "@/api/client";
import { Select } from "@/parts/Fields";
import { Badge } from "@/parts/Notices";
import { number, percent } from "@/format";

type Shown = Schemas["ProfileShown"];
type Fault = Shown["faults"][number];

/** How often a fault comes: a share of what it can befall, or a number. */
export function oftenOf(fault: Fault): string {
  const units: Record<string, string> = { cell: "values", row: "rows", subject: "subjects", site: "sites" };
  const many = units[fault.unit] ?? `${fault.unit}s`;
  if (fault.rate != null) return `${percent(fault.rate)} of the ${many}`;
  const one = many.replace(/s$/, "");
  return `${number(fault.count ?? 0)} ${fault.count === 1 ? one : many}`;
}

/** A bundled profile of faults, and what each of its faults does to the data. */
export function Faults({
  profiles,
  value,
  onChange,
}: {
  profiles: Shown[];
  value: string;
  onChange: (name: string) => void;
}) {
  const chosen = profiles.find((each) => each.name === value);
  const unseen = chosen?.faults.filter((each) => !each.detectable).length ?? 0;
  return (
    <>
      <Select
        label="Profile"
        className="max-w-md"
        options={[
          { value: "", text: "None", help: "Clean data" },
          ...profiles.map((one) => ({ value: one.name, text: one.name.replaceAll("-", " "), help: one.summary })),
        ]}
        value={value}
        onChange={onChange}
      />
      {chosen && (
        <div className="mt-3 rounded-lg border border-line p-3" role="group" aria-label="What the profile does">
          <p className="mb-2">
            {chosen.summary}{" "}
            <span className="text-muted">
              {chosen.faults.length} kinds of faults
              {unseen > 0 && `, ${unseen} of which no rule can see: they test detection by statistics, or by eye`}.
            </span>
          </p>
          <ul className="max-h-96 divide-y divide-line overflow-y-auto text-sm" tabIndex={0} aria-label="Its faults">
            {chosen.faults.map((each, at) => (
              <li key={at} className="grid gap-x-4 py-1.5 sm:grid-cols-[1fr_auto]">
                <span>
                  <span className="font-medium">{each.kind.replaceAll("-", " ")}</span>{" "}
                  <span className="text-muted">{each.summary}</span>
                </span>
                <span className="numbers flex items-center gap-2 whitespace-nowrap">
                  {oftenOf(each)}
                  <Badge tone={TONES[each.severity] ?? "neutral"}>{each.severity}</Badge>
                </span>
              </li>
            ))}
          </ul>
          <p className="mt-2 text-sm text-muted">
            After the run each fault is marked in the rows, with the value that was there before.
          </p>
        </div>
      )}
    </>
  );
}

export const TONES: Record<string, "bad" | "warning" | "neutral"> = {
  critical: "bad",
  major: "warning",
  minor: "neutral",
};
