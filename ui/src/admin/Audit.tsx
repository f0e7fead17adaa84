import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";

import { api, take } from "@/api/client";
import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Fields";
import { Grid, Section } from "@/parts/Layout";
import { Notice, ProblemBox, Waiting } from "@/parts/Notices";
import { moment, number } from "@/format";

const route = getRouteApi("/inside/admin/audit");

export function Audit() {
  const { action = "" } = route.useSearch();
  const navigate = useNavigate();
  const trail = useInfiniteQuery({
    queryKey: ["audit", action],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam }) =>
      take(api.GET("/api/audit", { params: { query: { action, before: pageParam, limit: 100 } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const people = useQuery({
    queryKey: ["users", ""],
    queryFn: () => take(api.GET("/api/users", { params: { query: { limit: 200 } } })),
  });
  const names = new Map(people.data?.items.map((each) => [each.id, each.email]));
  const verify = useMutation({ mutationFn: () => take(api.GET("/api/audit/verify")) });
  const person = (id: string) =>
    names.get(id) ?? (
      <span className="font-mono" title={id}>
        {id.slice(0, 8)}
      </span>
    );
  return (
    <Section
      title="Audit trail"
      actions={
        <Button doing={verify.isPending && "Computing the seals…"} onPress={() => verify.mutate()}>
          Check that it is whole
        </Button>
      }
    >
      <p className="mb-3 text-muted">
        Who did what, with what was before and after. Nothing in it can be changed unnoticed: each entry seals the one
        before.
      </p>
      {verify.isError && <ProblemBox error={verify.error} />}
      {verify.data && (
        <div className="mb-3">
          <Notice tone={verify.data.whole ? "info" : "warning"}>
            {verify.data.whole
              ? `The trail is whole: ${number(verify.data.events)} entries.`
              : `The trail is broken at entry ${number(verify.data.broken_at ?? 0)}: ${verify.data.reason}`}
          </Notice>
        </div>
      )}
      <TextField
        search
        label="Actions that begin with"
        placeholder="user."
        className="mb-3 w-full sm:w-72"
        value={action}
        onChange={(value) =>
          void navigate({ to: "/admin/audit", search: { action: value || undefined }, replace: true })
        }
      />
      {trail.isPending && <Waiting for="Loading the trail" />}
      {trail.isError && <ProblemBox error={trail.error} />}
      {trail.data && (
        <Grid label="Audit trail" head={["#", "When", "Action", "Object", "By", "Before", "After"]}>
          {trail.data.pages
            .flatMap((page) => page.items)
            .map((each) => (
              <tr key={each.number}>
                <td className="numbers">{number(each.number)}</td>
                <td className="whitespace-nowrap">{moment(each.at)}</td>
                <th scope="row" className="whitespace-nowrap">
                  {each.action}
                </th>
                <td className="text-sm">
                  {each.object_kind} <span className="text-muted">{person(each.object_id)}</span>
                </td>
                <td className="text-sm text-muted">{each.user_id ? person(each.user_id) : "–"}</td>
                <td className="font-mono text-xs break-all">{each.before ? JSON.stringify(each.before) : ""}</td>
                <td className="font-mono text-xs break-all">{each.after ? JSON.stringify(each.after) : ""}</td>
              </tr>
            ))}
        </Grid>
      )}
      {trail.hasNextPage && (
        <Button
          className="mt-3"
          doing={trail.isFetchingNextPage && "Loading…"}
          onPress={() => void trail.fetchNextPage()}
        >
          Earlier entries
        </Button>
      )}
    </Section>
  );
}
