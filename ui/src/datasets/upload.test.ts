import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Problem } from "@/api/problem";

import { nameOf } from "./Datasets";
import { isHidden, type Sent, uploadFiles, waitBefore } from "./upload";

type Handler = (
  url: string,
  init: { method: string; headers: Headers; body: Blob | null },
) => Response | Promise<Response>;

const PARTS = /\/uploads\/(\w+)$/;
let stored: Map<string, number>;
let made: unknown[];
let begun: object[];
let fail: ((url: string, method: string) => Response | null) | null;

const service: Handler = async (url, { method, headers, body }) => {
  const early = fail?.(url, method);
  if (early) return early;
  const part = PARTS.exec(url);
  if (part) {
    const id = part[1]!;
    if (method === "PATCH") {
      if (Number(headers.get("Upload-Offset")) !== stored.get(id)) return new Response("{}", { status: 409 });
      stored.set(id, stored.get(id)! + (body?.size ?? 0));
    }
    return new Response(null, {
      status: method === "PATCH" ? 204 : 200,
      headers: { "Upload-Offset": String(stored.get(id)) },
    });
  }
  if (url.endsWith("/uploads") && method === "GET") return Response.json(begun);
  const content = JSON.parse(await new Response(body).text()) as { name: string; uploads: string[] };
  if (url.endsWith("/uploads")) {
    stored.set(content.name.replace(/\W/g, ""), 0);
    return Response.json({ id: content.name.replace(/\W/g, ""), received: 0 }, { status: 201 });
  }
  made.push(content.uploads);
  return Response.json({}, { status: 201 });
};

beforeEach(() => {
  stored = new Map();
  made = [];
  begun = [];
  localStorage.clear();
  fail = null;
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    if (typeof input === "string")
      return service(input, {
        method: init?.method ?? "GET",
        headers: new Headers(init?.headers),
        body: (init?.body as Blob) ?? null,
      });
    return service(input.url, { method: input.method, headers: input.headers, body: await input.blob() });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const file = (name: string, size: number) => new File([new Uint8Array(size)], name);
const send = (files: File[], told: (sent: Sent[]) => void = () => undefined) =>
  uploadFiles("p", "d", files, false, new AbortController().signal, told);

test("large files go in parts, and all together become a version", async () => {
  const states: Sent[][] = [];
  await send([file("lb.xpt", 5_000_000), file("dm.xpt", 10)], (sent) => states.push(sent));
  expect(stored.get("lbxpt")).toBe(5_000_000);
  expect(made).toEqual([["lbxpt", "dmxpt"]]);
  expect(states.some((each) => each[0]!.sent > 0 && each[0]!.sent < 5_000_000)).toBe(true);
  expect(states.at(-1)!.map((each) => each.state)).toEqual(["sent", "sent"]);
});

test("after a cut it asks where it stands and goes on from there", async () => {
  let cuts = 2;
  fail = (url, method) => {
    if (method !== "PATCH" || cuts === 0) return null;
    cuts -= 1;
    stored.set(PARTS.exec(url)![1]!, 700_000); // a piece came through before the cut
    throw new TypeError("Failed to fetch");
  };
  await send([file("lb.xpt", 3_000_000)]);
  expect(stored.get("lbxpt")).toBe(3_000_000);
  expect(made).toHaveLength(1);
});

test("a file that cannot be sent leaves the dataset as it was, and says why", async () => {
  const states: Sent[][] = [];
  await expect(send([file("dm.xpt", 10), file("ae.xpt", 0)], (sent) => states.push(sent))).rejects.toThrow(
    "ae.xpt could not be sent",
  );
  expect(made).toEqual([]);
  expect(states.at(-1)![1]!.problem?.message).toBe("The file is empty.");
});

test("only what may get better is tried again", () => {
  expect(waitBefore(new Problem({ status: 429 }, 12), 0)).toBe(12_000);
  expect(waitBefore(new Problem({ status: 0 }), 3)).toBe(4_000);
  expect(waitBefore(new Problem({ status: 413 }), 0)).toBeNull();
});

test("names of datasets, and files that nobody means", () => {
  const inFolder = file("dm.xpt", 1);
  Object.defineProperty(inFolder, "webkitRelativePath", { value: "study-301/dm.xpt" });
  expect(nameOf([inFolder, file("ae.xpt", 1)], "else")).toBe("study-301");
  expect(nameOf([file("study.zip", 1)], "else")).toBe("study");
  expect(nameOf([file("a.csv", 1), file("b.csv", 1)], "else")).toBe("else");
  expect([".DS_Store", "dm.xpt"].map((name) => isHidden(file(name, 1)))).toEqual([true, false]);
});

test("after a reload the same files go on where they stood, others begin anew", async () => {
  const same = new File([new Uint8Array(3_000_000)], "lb.xpt", { lastModified: 7 });
  const other = new File([new Uint8Array(500)], "dm.xpt", { lastModified: 8 });
  localStorage.setItem("upload:before1", "7");
  localStorage.setItem("upload:before2", "9");
  begun = [
    { id: "before1", name: "lb.xpt", size: 3_000_000, received: 2_500_000 },
    { id: "before2", name: "dm.xpt", size: 500, received: 400 },
  ];
  stored = new Map([["before1", 2_500_000]]);
  const states: Sent[][] = [];
  await send([same, other], (sent) => states.push(sent));
  expect(made).toEqual([["before1", "dmxpt"]]);
  expect(stored.get("before1")).toBe(3_000_000);
  expect(states.find((each) => each[0]!.sent > 0)![0]!.sent).toBe(2_500_000);
  expect(localStorage.getItem("upload:before1")).toBeNull();
});
