import { useQuery } from "@tanstack/react-query";

import { api, take } from "@/api/client";
import { ProblemBox, Waiting } from "@/parts/Notices";

/** The page that compares source and synthetic, within this page. */
export function Report({ projectId, runId }: { projectId: string; runId: string }) {
  const path = { project_id: projectId, run_id: runId };
  const report = useQuery({
    queryKey: ["project", projectId, "runs", runId, "report"],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET("/api/projects/{project_id}/runs/{run_id}/report", { params: { path }, parseAs: "text" }),
      )) as unknown as string,
  });
  if (report.isPending) return <Waiting for="Loading the report" />;
  if (report.isError) return <ProblemBox error={report.error} />;
  return (
    <iframe
      title="Report: source against synthetic"
      // No script may run in it, and its links open beside this page.
      sandbox="allow-popups"
      srcDoc={report.data}
      className="h-[80vh] w-full rounded-lg border border-line bg-white"
    />
  );
}
