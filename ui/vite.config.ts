import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { firstLoad } from "./size.ts";

const service = process.env.DATAREPLICATOR_PUBLIC_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss(), firstLoad(250)],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": { target: service, ws: true } } },
  build: {
    outDir: "../src/datareplicator/server/ui",
    emptyOutDir: true,
    // The service answers with `style-src 'unsafe-inline'` but `script-src 'self'`: no script may be inlined.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://service.test/" } },
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing.ts"],
    isolate: false, // each file would make the environment anew, which takes longer than all tests
  },
});
