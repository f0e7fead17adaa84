import { api, raw, take } from "@/api/client";
import { asProblem, Problem } from "@/api/problem";

const PART = 2 << 20;
const ATTEMPTS = 6;
const LANES = 3;

export interface Sent {
  key: string;
  name: string;
  size: number;
  sent: number;
  state: "waiting" | "sending" | "sent" | "failed";
  problem: Problem | null;
}

const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    });
  });

/** Whether trying again may help, and after how many milliseconds. */
export function waitBefore(problem: Problem, attempt: number): number | null {
  if (problem.retryAfter !== null) return problem.retryAfter * 1000;
  if (problem.status === 0 || problem.status >= 502) return Math.min(15_000, 500 * 2 ** attempt);
  return null;
}

async function patiently<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (error instanceof DOMException) throw error;
      const problem = asProblem(error);
      const wait = attempt < ATTEMPTS ? waitBefore(problem, attempt) : null;
      if (wait === null) throw problem;
      await pause(wait, signal);
    }
  }
}

/** Sends one file in parts. A cut costs a part at most: the service says where it stands, and it goes on from there. */
async function sendFile(
  base: string,
  file: File,
  uploadId: string,
  signal: AbortSignal,
  told: (sent: number) => void,
): Promise<void> {
  const address = `${base}/uploads/${uploadId}`;
  let offset = 0;
  while (offset < file.size) {
    offset = await patiently(signal, async () => {
      try {
        const response = await raw(address, {
          method: "PATCH",
          signal,
          headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
          body: file.slice(offset, offset + PART),
        });
        return Number(response.headers.get("Upload-Offset"));
      } catch (error) {
        const problem = asProblem(error);
        if (error instanceof DOMException || (problem.status !== 409 && problem.status !== 0)) throw error;
        const stand = await raw(address, { method: "HEAD", signal });
        return Number(stand.headers.get("Upload-Offset"));
      }
    });
    told(offset);
  }
}

export const isHidden = (file: File) => file.name.startsWith(".") || file.name === "Thumbs.db";

/**
 * Sends files side by side and makes a version of the dataset out of them. `told` hears of every change. Files that
 * cannot be sent are a problem of the whole: a study without one of its tables is another study.
 */
export async function uploadFiles(
  project_id: string,
  dataset_id: string,
  files: File[],
  replace: boolean,
  signal: AbortSignal,
  told: (sent: Sent[]) => void,
): Promise<void> {
  const state: Sent[] = files.map((file, at) => ({
    key: `${at}:${file.name}`,
    name: file.name,
    size: file.size,
    sent: 0,
    state: "waiting",
    problem: null,
  }));
  const set = (at: number, change: Partial<Sent>) => {
    state[at] = { ...state[at]!, ...change };
    told([...state]);
  };
  told([...state]);
  const base = `/api/projects/${project_id}/datasets/${dataset_id}`;
  const path = { project_id, dataset_id };
  const ids: string[] = new Array<string>(files.length);
  let next = 0;

  const lane = async () => {
    while (next < files.length) {
      const at = next++;
      const file = files[at]!;
      try {
        if (file.size === 0)
          throw new Problem({ detail: "The file is empty.", hint: "Leave it out, or export it anew." });
        set(at, { state: "sending" });
        const upload = await patiently(signal, () =>
          take(
            api.POST("/api/projects/{project_id}/datasets/{dataset_id}/uploads", {
              params: { path },
              body: { name: file.name, size: file.size },
            }),
          ),
        );
        ids[at] = upload.id;
        await sendFile(base, file, upload.id, signal, (sent) => set(at, { sent }));
        set(at, { state: "sent" });
      } catch (error) {
        if (error instanceof DOMException) throw error;
        set(at, { state: "failed", problem: asProblem(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, files.length) }, lane));
  const failed = state.filter((file) => file.state === "failed");
  if (failed.length > 0)
    throw new Problem({
      detail:
        failed.length === 1 ? `${failed[0]!.name} could not be sent.` : `${failed.length} files could not be sent.`,
      hint: "The list says why. Nothing was changed.",
    });
  await patiently(signal, () =>
    take(
      api.POST("/api/projects/{project_id}/datasets/{dataset_id}/versions", {
        params: { path },
        body: { uploads: ids, replace, remove: [] },
      }),
    ),
  );
}
