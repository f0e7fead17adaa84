import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { api, take } from "@/api/client";
import { Grid, Section, Stat, Stats } from "@/parts/Layout";
import { ProblemBox, Waiting } from "@/parts/Notices";
import { bytes, number, percent } from "@/format";

/** What is kept of results, and how often it answered. */
export function Cache() {
  const held = useQuery({ queryKey: ["cache"], queryFn: () => take(api.GET("/api/cache")) });
  const month = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 30 * 86_400_000).toISOString();
  const logs = useQuery({
    queryKey: ["logs", "summary", "30"],
    queryFn: () => take(api.GET("/api/logs/summary", { params: { query: { since: month } } })),
  });
  const error = held.error ?? logs.error;
  if (error) return <ProblemBox error={error} />;
  if (!held.data || !logs.data) return <Waiting for="Loading what the cache holds" />;
  const { kinds, policy } = held.data;
  const size = kinds.reduce((sum, each) => sum + each.bytes, 0);
  const work = logs.data.kinds.filter((each) => each.kind !== "request");
  const asked = work.reduce((sum, each) => sum + each.count, 0);
  const hits = work.reduce((sum, each) => sum + each.cache_hits, 0);
  return (
    <Section title="Cache">
      <p className="mb-4 max-w-prose text-muted">
        The same request in the same project is answered from what was made before. What nobody&apos;s project shows any
        more is deleted by itself. The policy is set among the{" "}
        <Link to="/admin/settings" className="link">
          settings
        </Link>
        .
      </p>
      <Stats>
        <Stat
          label="Answers requests"
          value={policy.enabled ? "Yes" : "No"}
          note={policy.enabled ? undefined : "switched off"}
        />
        <Stat
          label="Holds"
          value={bytes(size)}
          note={policy.max_bytes == null ? "without limit" : `of ${bytes(policy.max_bytes)}`}
        />
        <Stat
          label="An entry answers for"
          value={policy.lifetime_days == null ? "ever" : `${number(policy.lifetime_days)} days`}
        />
        <Stat
          label="From the cache, last 30 days"
          value={asked === 0 ? "–" : percent(hits / asked)}
          note={`${number(hits)} of ${number(asked)} jobs`}
        />
      </Stats>
      <Grid label="What the cache holds" head={["Results of", "Number", "Size"]}>
        {kinds.map((each) => (
          <tr key={each.kind}>
            <th scope="row">{each.kind}</th>
            <td className="numbers">{number(each.results)}</td>
            <td className="numbers">{bytes(each.bytes)}</td>
          </tr>
        ))}
      </Grid>
      {kinds.length === 0 && <p className="mt-3 text-muted">Nothing yet: it fills with the first analyses and runs.</p>}
    </Section>
  );
}
