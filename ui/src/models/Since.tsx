import type { Schemas } from "@/api/client";
import { count } from "@/format";

interface Since {
  earlier: string;
  again: string[];
  kept: string[];
}

/** What of a model was learned again, and what was taken over from an earlier one; nothing where there was none. */
export function SinceEarlier({ model }: { model: Schemas["ModelOut"] }) {
  if (model.job.cache === "hit")
    return <p className="text-sm text-muted">The same was learned before: the model came from the cache.</p>;
  const since = model.job.result?.["since"] as Since | undefined;
  if (!since) return null;
  return (
    <details className="text-sm">
      <summary className="cursor-pointer">
        {since.again.length === 0 ? "No part" : count(since.again.length, "part")} learned again,{" "}
        {since.kept.length === 0 ? "none" : count(since.kept.length, "part")} taken over from {since.earlier}
      </summary>
      <dl className="mt-1 grid gap-x-3 gap-y-1 pl-4 sm:grid-cols-[auto_1fr]">
        <dt className="text-muted">Learned again</dt>
        <dd className="break-words">{since.again.map(partText).join(", ") || "nothing"}</dd>
        <dt className="text-muted">Taken over</dt>
        <dd className="break-words">{since.kept.map(partText).join(", ") || "nothing"}</dd>
      </dl>
    </details>
  );
}

const WHOLE: Record<string, string> = { findings: "all measurements over time", subjects: "the subjects as a whole" };

const partText = (part: string) => WHOLE[part] ?? part;
