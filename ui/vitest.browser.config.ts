import { defineConfig } from "vitest/config";

// Tests that drive a browser against the real service, one after another.
export default defineConfig({
  test: {
    environment: "node",
    include: ["tests/**/*.test.ts"],
    testTimeout: 150_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    reporters: ["verbose"],
    bail: 1,
  },
});
