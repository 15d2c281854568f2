import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "docs/**/*.test.ts"],
    // Plugins and the command line are checked as users run them: from source, in processes of their own.
    testTimeout: 30_000,
  },
})
