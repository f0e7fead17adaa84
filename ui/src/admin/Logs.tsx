import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, type Schemas, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { Select } from "@/parts/Fields";
import { Grid, Section } from "@/parts/Layout";
import { Badge, ProblemBox, Waiting } from "@/parts/Notices";
import { bytes, moment, number } from "@/format";

import { UsageCharts } from "./UsageCharts";

const route = getRouteApi("/inside/admin/logs");
const PAGE = 100;
const SPANS = [
  { value: "1", text: "Last 24 hours" },
  { value: "7", text: "Last 7 days" },
  { value: "30", text: "Last 30 days" },
];
const OUTCOMES = [
  { value: "", text: "Every outcome" },
  { value: "ok", text: "Went well" },
  { value: "error", text: "Errors" },
  { value: "refused", text: "Refused" },
  { value: "cancelled", text: "Cancelled" },
];
const TONES: Record<string, "good" | "bad" | "warning" | "neutral"> = {
  ok: "good",
  error: "bad",
  refused: "warning",
  cancelled: "neutral",
};
type Outcome = "ok" | "error" | "cancelled" | "refused";

/** Since when, to the hour, so that the same question is asked once. */
const since = (days: string) =>
  new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - Number(days) * 86_400_000).toISOString();

export function Logs() {
  const { days = "7", kind, outcome, page = 1 } = route.useSearch();
  const navigate = useNavigate();
  const set = (change: Record<string, string | number | undefined>) =>
    void navigate({ to: "/admin/logs", search: (old) => ({ ...old, page: undefined, ...change }) });
  const filter = { kind, outcome: outcome as Outcome | undefined, since: since(days) };
  const summary = useQuery({
    queryKey: ["logs", "summary", days],
    queryFn: () => take(api.GET("/api/logs/summary", { params: { query: { since: since(days) } } })),
  });
  const daily = useQuery({
    queryKey: ["logs", "daily", days],
    queryFn: () => take(api.GET("/api/logs/daily", { params: { query: { since: since(days) } } })),
  });
  const logs = useQuery({
    queryKey: ["logs", filter, page],
    placeholderData: keepPreviousData,
    queryFn: () =>
      take(api.GET("/api/logs", { params: { query: { ...filter, offset: (page - 1) * PAGE, limit: PAGE } } })),
  });
  return (
    <>
      <div className="mb-5 flex flex-wrap gap-3">
        <Select label="Time" className="w-44" options={SPANS} value={days} onChange={(value) => set({ days: value })} />
        <Select
          label="Kind"
          className="w-52"
          options={[
            { value: "", text: "Every kind" },
            ...(summary.data?.kinds ?? []).map((each) => ({ value: each.kind, text: each.kind })),
          ]}
          value={kind ?? ""}
          onChange={(value) => set({ kind: value || undefined })}
        />
        <Select
          label="Outcome"
          className="w-44"
          options={OUTCOMES}
          value={outcome ?? ""}
          onChange={(value) => set({ outcome: value || undefined })}
        />
      </div>
      {daily.isError && <ProblemBox error={daily.error} />}
      {daily.data && Number(days) > 1 && <UsageCharts days={daily.data} span={Number(days)} />}
      {summary.isError && <ProblemBox error={summary.error} />}
      {summary.data && (
        <Section title="Sums">
          <Grid
            label="Sums by kind"
            head={[
              "Kind",
              "Operations",
              "Errors",
              "From the cache",
              "Limit reached",
              "Time",
              "Processor",
              "Rows",
              `Cost (${summary.data.currency})`,
            ]}
          >
            {summary.data.kinds.map((each) => (
              <tr key={each.kind} className="numbers">
                <th scope="row">{each.kind}</th>
                <td>{number(each.count)}</td>
                <td>{number(each.errors)}</td>
                <td>{number(each.cache_hits)}</td>
                <td>{number(each.rate_limit_hits)}</td>
                <td className="whitespace-nowrap">{number(each.seconds, 1)} s</td>
                <td className="whitespace-nowrap">{number(each.cpu_seconds, 1)} s</td>
                <td>{number(each.rows)}</td>
                <td>{number(each.cost, 4)}</td>
              </tr>
            ))}
          </Grid>
        </Section>
      )}
      <Section title="Operations">
        {logs.isPending && <Waiting for="Loading the operations" />}
        {logs.isError && <ProblemBox error={logs.error} />}
        {logs.data && (
          <>
            <Grid label="Operations" head={["When", "Kind", "Outcome", "What", "Took", "Rows", "Memory", "Cache"]}>
              {logs.data.items.map((each: Schemas["OperationOut"]) => (
                <tr key={each.id}>
                  <td className="whitespace-nowrap">{moment(each.at)}</td>
                  <td>{each.kind}</td>
                  <td>
                    <Badge tone={TONES[each.outcome] ?? "neutral"}>{each.outcome}</Badge>
                  </td>
                  <td className="max-w-md text-sm break-all">
                    {each.method} {each.route} {each.status}{" "}
                    {each.error && <span className="text-danger">{each.error}</span>}
                    {each.rate_limit === "hit" && <span className="text-warning"> limit reached</span>}
                  </td>
                  <td className="numbers whitespace-nowrap">
                    {each.seconds != null ? `${number(each.seconds, 3)} s` : "–"}
                  </td>
                  <td className="numbers">{each.rows != null ? number(each.rows) : "–"}</td>
                  <td className="numbers whitespace-nowrap">
                    {each.peak_bytes != null ? bytes(each.peak_bytes) : "–"}
                  </td>
                  <td>{each.cache ?? "–"}</td>
                </tr>
              ))}
            </Grid>
            <div className="mt-3 flex flex-wrap items-center gap-3">
              <Button isDisabled={page <= 1} onPress={() => set({ page: page - 1 })}>
                Later
              </Button>
              <Button isDisabled={page * PAGE >= logs.data.total} onPress={() => set({ page: page + 1 })}>
                Earlier
              </Button>
              <span className="numbers text-muted">{number(logs.data.total)} in all</span>
            </div>
          </>
        )}
      </Section>
    </>
  );
}
