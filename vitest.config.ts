import { configDefaults, defineConfig } from "vitest/config"

const soak = "test/soak/**/*.test.ts"

/** `vitest run` runs what is fast; `vitest run --mode soak` what takes long. */
export default defineConfig(({ mode }) => ({
  test: {
    include: mode === "soak" ? [soak] : ["test/**/*.test.ts"],
    exclude: mode === "soak" ? configDefaults.exclude : [...configDefaults.exclude, soak],
    globalSetup: ["test/support/global-setup.ts"],
    setupFiles: ["test/support/leak-check.ts"],
    pool: "forks",
    // The tests share the machine with their PostgreSQL, and more workers than this make its timing unfair.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], ignoreSourceErrors: true }
  }
}))
