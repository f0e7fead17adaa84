import { ShieldCheck, ShieldQuestion, TriangleAlert } from "lucide-react";

import { Section } from "@/parts/Layout";
import { Badge } from "@/parts/Notices";

export interface Score {
  title: string;
  value: number | null;
  sentence: string;
  verdict: "good" | "fair" | "poor" | "none";
}

const PRIVATE = ["identifiers", "copies", "nearness", "membership"];
const WORDS = { good: "good", fair: "look closer", poor: "poor", none: "not judged" } as const;
const TONES = { good: "good", fair: "warning", poor: "bad", none: "neutral" } as const;

/** The worst of some verdicts. */
export function worst(scores: Score[]): Score["verdict"] {
  for (const verdict of ["poor", "fair", "good"] as const)
    if (scores.some((score) => score.verdict === verdict)) return verdict;
  return "none";
}

/** What the comparison with the source says: of privacy first, then of likeness, each figure in a sentence. */
export function Verdicts({ scores }: { scores: Record<string, Score> }) {
  const names = Object.keys(scores);
  if (names.length === 0) return null;
  const own = PRIVATE.flatMap((name) => scores[name] ?? []);
  const rest = names.filter((name) => !PRIVATE.includes(name)).map((name) => scores[name]!);
  const verdict = worst(own);
  const [Icon, says] =
    verdict === "good"
      ? [ShieldCheck, "No subject of the source was found again in what was made, beyond what chance explains."]
      : verdict === "none"
        ? [ShieldQuestion, "There are too few subjects to judge privacy."]
        : [TriangleAlert, "Some figures say that subjects of the source may show through. Read them before sharing."];
  return (
    <div className="grid gap-x-8 lg:grid-cols-2">
      {own.length > 0 && (
        <Section title="Privacy">
          <div className="panel p-4">
            <p className="mb-3 flex gap-2.5 font-medium">
              <Icon
                aria-hidden
                className={`mt-0.5 size-5 shrink-0 ${verdict === "good" ? "text-success" : verdict === "none" ? "text-muted" : "text-warning"}`}
              />
              {says}
            </p>
            <List label="Figures of privacy" scores={own} />
          </div>
        </Section>
      )}
      {rest.length > 0 && (
        <Section title="Likeness to the source">
          <div className="panel p-4">
            <List label="Figures of likeness" scores={rest} />
          </div>
        </Section>
      )}
    </div>
  );
}

function List({ label, scores }: { label: string; scores: Score[] }) {
  return (
    <ul aria-label={label} className="grid gap-2.5">
      {scores.map((score) => (
        <li key={score.title} className="text-sm">
          <span className="flex items-center justify-between gap-3">
            <span className="font-medium">{score.title}</span>
            <Badge tone={TONES[score.verdict]}>{WORDS[score.verdict]}</Badge>
          </span>
          <span className="text-muted">{score.sentence}</span>
        </li>
      ))}
    </ul>
  );
}
