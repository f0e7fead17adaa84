import { useQuery } from "@tanstack/react-query";

import { api, type Schemas, take } from "@/api/client";
import { Notice, ProblemBox } from "@/parts/Notices";
import { bytes, number, seconds } from "@/format";

import { type Checked, saidAgainst } from "./useChecked";

/** Parts of the request that show by themselves what is wrong with them. */
const AT_FIELDS = /^(constraints\.|rare_events\.|scenarios\.|counts$)/;

/** What a run will be like, and whether today's quota suffices, as the service expects it. */
export function Estimate({ checked, error }: { checked: Checked | undefined; error: unknown }) {
  const usage = useQuery({ queryKey: ["usage"], queryFn: () => take(api.GET("/api/usage")) });
  const over = (amount: Schemas["Amount"] | undefined, wanted: number | null | undefined) =>
    amount?.remaining != null && wanted != null && wanted > amount.remaining;
  const most = usage.data?.limits.subjects_per_run;
  const whole = checked?.problems.filter((each) => !AT_FIELDS.test(each.place)) ?? [];
  if (error) return <ProblemBox error={error} />;
  return (
    <div className="panel p-4">
      <h2 className="mb-2 text-base">What to expect</h2>
      <dl className="numbers grid grid-cols-[1fr_auto] gap-x-4 gap-y-1" aria-busy={!checked}>
        <dt className="text-muted">Rows, about</dt>
        <dd>{checked?.rows != null ? number(checked.rows) : "…"}</dd>
        {checked?.bytes != null && (
          <>
            <dt className="text-muted">Size as the source, about</dt>
            <dd>{bytes(checked.bytes)}</dd>
          </>
        )}
        <dt className="text-muted">Time, about</dt>
        <dd>{checked?.seconds != null ? seconds(checked.seconds) : "…"}</dd>
        {usage.data?.rows.remaining != null && (
          <>
            <dt className="text-muted">Rows left today</dt>
            <dd>{number(usage.data.rows.remaining)}</dd>
          </>
        )}
        {usage.data?.subjects.remaining != null && (
          <>
            <dt className="text-muted">Subjects left today</dt>
            <dd>{number(usage.data.subjects.remaining)}</dd>
          </>
        )}
      </dl>
      {whole.map((each) => (
        <div key={each.place} className="mt-3">
          <Notice tone="warning">{saidAgainst(each)}</Notice>
        </div>
      ))}
      {(over(usage.data?.rows, checked?.rows) || over(usage.data?.subjects, checked?.subjects)) && (
        <div className="mt-3">
          <Notice tone="warning">
            This is more than your tier ({usage.data?.tier}) has left for today. Ask for fewer subjects, or an
            administrator for another tier.
          </Notice>
        </div>
      )}
      {most != null && (checked?.subjects ?? 0) > most && (
        <div className="mt-3">
          <Notice tone="warning">Your tier allows {number(most)} subjects in one run.</Notice>
        </div>
      )}
    </div>
  );
}
