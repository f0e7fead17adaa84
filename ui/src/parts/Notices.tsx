import { CircleAlert, Info, LoaderCircle, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";

import { asProblem, placeText } from "@/api/problem";

import { Button } from "./Button";

/** What went wrong, where, and what to do. */
export function ProblemBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asProblem(error);
  const place = placeText(problem.place);
  return (
    <div role="alert" className="rounded-lg border border-danger bg-danger-soft p-3.5 text-ink">
      <p className="flex gap-2 font-medium">
        <CircleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
        <span className="min-w-0 break-words">{problem.message}</span>
      </p>
      <div className="pl-7">
        {place && <p className="mt-1 text-sm">Where: {place}.</p>}
        {problem.hint && <p className="mt-1 text-sm">What to do: {problem.hint}</p>}
        {problem.retryAfter !== null && <p className="mt-1 text-sm">Try again in {problem.retryAfter} seconds.</p>}
        {onRetry && (
          <Button onPress={onRetry} className="mt-2">
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

const TONES = {
  info: { box: "border-line bg-accent-soft", icon: <Info aria-hidden className="size-5 text-accent" /> },
  warning: {
    box: "border-warning bg-warning-soft",
    icon: <TriangleAlert aria-hidden className="size-5 text-warning" />,
  },
};

export function Notice({ tone = "info", children }: { tone?: keyof typeof TONES; children: ReactNode }) {
  return (
    <div className={`flex gap-2.5 rounded-lg border p-3.5 ${TONES[tone].box}`}>
      <span className="mt-0.5 shrink-0">{TONES[tone].icon}</span>
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}

export function Waiting({ for: what }: { for: string }) {
  return (
    <p role="status" className="flex items-center gap-2.5 py-6 text-muted">
      <LoaderCircle aria-hidden className="size-5 animate-spin" />
      {what}…
    </p>
  );
}

/** What could be here, and how it gets here. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="rounded-xl border border-dashed border-edge px-5 py-8 text-center">
      <h2 className="text-lg">{title}</h2>
      <div className="mx-auto mt-2 max-w-prose text-muted">{children}</div>
      {action && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

const BADGES: Record<string, string> = {
  neutral: "bg-sunken text-muted",
  good: "bg-success-soft text-success",
  warning: "bg-warning-soft text-warning",
  bad: "bg-danger-soft text-danger",
  accent: "bg-accent-soft text-accent-strong",
};

export function Badge({ tone = "neutral", children }: { tone?: keyof typeof BADGES; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-full px-2.5 py-0.5 text-sm font-medium whitespace-nowrap ${BADGES[tone]}`}
    >
      {children}
    </span>
  );
}

const STATES: Record<string, [keyof typeof BADGES, string]> = {
  queued: ["neutral", "Waiting"],
  running: ["accent", "Running"],
  done: ["good", "Done"],
  failed: ["bad", "Failed"],
  cancelled: ["neutral", "Cancelled"],
};

export function StateBadge({ state }: { state: string }) {
  const [tone, text] = STATES[state] ?? ["neutral", state];
  return <Badge tone={tone}>{text}</Badge>;
}
