import { api, take } from "@/api/client";
import { Problem } from "@/api/problem";
import { isOpen } from "@/api/useJob";

const PAUSE = 700;
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A project with the bundled study in it, analysed, and 200 new subjects under way; its id. */
export async function trySample(say: (words: string) => void): Promise<string> {
  say("Making the project…");
  const { id: project_id } = await take(
    api.POST("/api/projects", {
      body: {
        name: "Sample study",
        description: "The bundled SDTM study of 20 invented subjects, to look around in.",
        standard: "SDTM",
        domains: ["DM", "AE", "LB", "VS", "EX", "CM"],
      },
    }),
  );
  say("Taking in the files…");
  const path = { project_id };
  const { id: dataset_id } = await take(api.POST("/api/projects/{project_id}/datasets/sample", { params: { path } }));
  say("Looking into the files…");
  for (;;) {
    const { latest } = await take(
      api.GET("/api/projects/{project_id}/datasets/{dataset_id}", { params: { path: { project_id, dataset_id } } }),
    );
    if (latest && !isOpen(latest.state)) {
      if (latest.state === "done") break;
      throw new Problem({ detail: "The sample study could not be read.", hint: "See the data of the new project." });
    }
    await wait(PAUSE);
  }
  say("Starting…");
  await take(
    api.POST("/api/projects/{project_id}/analyses", { params: { path }, body: { dataset_id, urgency: "normal" } }),
  );
  await take(
    api.POST("/api/projects/{project_id}/runs", {
      params: { path },
      body: {
        dataset_id,
        name: "200 new subjects",
        document: { subjects: 200, seed: 7, report: true },
        urgency: "normal",
      },
    }),
  );
  return project_id;
}
