import { api, raw, type Schemas, take } from "@/api/client";
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
  from: number,
  signal: AbortSignal,
  told: (sent: number) => void,
): Promise<void> {
  const address = `${base}/uploads/${uploadId}`;
  let offset = from;
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

/** Under which name this browser remembers whose upload is whose: a file of the same name may be another one. */
const memory = (uploadId: string) => `upload:${uploadId}`;

const store = {
  set(uploadId: string, file: File) {
    try {
      localStorage.setItem(memory(uploadId), String(file.lastModified));
    } catch {
      // No storage: after a reload the upload begins anew.
    }
  },
  is(uploadId: string, file: File) {
    try {
      return localStorage.getItem(memory(uploadId)) === String(file.lastModified);
    } catch {
      return false;
    }
  },
  forget(uploadIds: string[]) {
    for (const id of uploadIds)
      try {
        localStorage.removeItem(memory(id));
      } catch {
        // See above.
      }
  },
};

export type Begun = Schemas["UploadOut"];

/** The upload of this very file that was begun before and cut off. */
export const begunOf = (begun: Begun[], file: File): Begun | undefined =>
  begun.find((each) => each.name === file.name && each.size === file.size && store.is(each.id, file));

export const isHidden = (file: File) => file.name.startsWith(".") || file.name === "Thumbs.db";

/**
 * Sends files side by side and makes a version of the dataset out of them; a file that was cut off before goes on
 * where it stood, after a reload of the page as well. `told` hears of every change. Files that
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
  const begun = await patiently(signal, () =>
    take(api.GET("/api/projects/{project_id}/datasets/{dataset_id}/uploads", { params: { path } })),
  );
  let next = 0;

  const lane = async () => {
    while (next < files.length) {
      const at = next++;
      const file = files[at]!;
      try {
        if (file.size === 0)
          throw new Problem({ detail: "The file is empty.", hint: "Leave it out, or export it anew." });
        set(at, { state: "sending" });
        const upload =
          begunOf(begun, file) ??
          (await patiently(signal, () =>
            take(
              api.POST("/api/projects/{project_id}/datasets/{dataset_id}/uploads", {
                params: { path },
                body: { name: file.name, size: file.size },
              }),
            ),
          ));
        ids[at] = upload.id;
        store.set(upload.id, file);
        set(at, { sent: upload.received });
        await sendFile(base, file, upload.id, upload.received, signal, (sent) => set(at, { sent }));
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
  store.forget(ids);
}
