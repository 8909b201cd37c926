import { configDefaults, defineConfig } from "vitest/config"

/** What runs in a mode of its own: what takes long, and what needs a PgBouncer. */
const apart: Readonly<Record<string, string>> = {
  soak: "test/soak/**/*.test.ts",
  nemesis: "test/nemesis/nemesis.test.ts",
  pooler: "test/pooler/**/*.test.ts"
}

/** `vitest run` runs what every machine can, and fast; `vitest run --mode soak`, for example, one of the others. */
export default defineConfig(({ mode }) => ({
  test: {
    include: [apart[mode] ?? "test/**/*.test.ts"],
    exclude: mode in apart ? configDefaults.exclude : [...configDefaults.exclude, ...Object.values(apart)],
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
