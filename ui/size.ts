import { gzipSync } from "node:zlib";

import type { Plugin, Rolldown } from "vite";

/** The pages that people see first; what they load counts. */
const FIRST = ["SignIn", "Projects"];

/** Prints what the first pages load, packed, and fails where it is more than `limit` kB. */
export function firstLoad(limit: number): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((each): each is Rolldown.OutputChunk => each.type === "chunk");
      const styles = Object.values(bundle).filter((each) => each.type === "asset" && each.fileName.endsWith(".css"));
      const packed = (content: string | Uint8Array) => gzipSync(content, { level: 9 }).length;
      const css = styles.reduce((sum, each) => sum + (each.type === "asset" ? packed(each.source) : 0), 0);
      const withImports = (name: string, seen: Set<string>) => {
        if (seen.has(name)) return;
        seen.add(name);
        for (const inner of chunks.find((each) => each.fileName === name)?.imports ?? []) withImports(inner, seen);
      };
      for (const page of FIRST) {
        const seen = new Set<string>();
        for (const each of chunks) if (each.isEntry || each.name === page) withImports(each.fileName, seen);
        const code = chunks.filter((each) => seen.has(each.fileName)).reduce((sum, each) => sum + packed(each.code), 0);
        const size = Math.round((code + css) / 1000);
        console.log(`first load of ${page}: ${size} kB packed, of ${limit} kB at most`);
        if (size > limit) this.error(`the first load of ${page} is ${size} kB, more than ${limit} kB`);
      }
    },
  };
}
