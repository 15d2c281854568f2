import { defineConfig } from "vitest/config"

const everything = ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "docs/**/*.test.ts"]

/** What is about the state, once more with that in Postgres. */
const overPostgres = [
  "packages/cli/test/sqlClient.test.ts",
  "packages/core/test/stateLedger.test.ts",
  "packages/core/test/stateMigrations.test.ts",
  ...["deadLetters", "jobs", "jobs.trouble", "rules.commit", "rules.keys", "rules.state", "run"].map(
    (name) => `packages/core/test/engine/${name}.test.ts`,
  ),
]

export default defineConfig({
  test: {
    globalSetup: ["packages/cli/test/postgres/globalSetup.ts"],
    // Plugins and the command line are checked as users run them: from source, in processes of their own.
    testTimeout: 30_000,
    // By default a core is left free, which halves what a small machine does.
    maxWorkers: "100%",
    projects: [
      { extends: true, test: { name: "sqlite", include: everything } },
      {
        extends: true,
        // A commit there takes its time on a busy machine, and some tests have hundreds.
        test: { name: "postgres", include: overPostgres, env: { SLUICE_TEST_STATE: "postgres" }, testTimeout: 120_000 },
      },
    ],
  },
})
