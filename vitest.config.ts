import { defineConfig } from "vitest/config";

/** Tests of what is computed with a model: many small sessions, and a thread for each core would only be in the way of another file's. */
const small = ["analyses", "dictionaries", "lens", "measures", "models", "report", "scan"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "one thread", include: small, setupFiles: ["test/one-thread.ts"] } },
      {
        extends: true,
        test: { name: "all cores", include: ["test/**/*.test.ts", "examples/**/*.test.ts"], exclude: small },
      },
    ],
  },
});
