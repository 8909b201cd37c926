import { configDefaults, defineConfig } from "vitest/config"
import { LongestFirst } from "./test/support/longest-first.ts"

/** What runs in a mode of its own: what takes long, and what needs a PgBouncer. */
const apart: Readonly<Record<string, string>> = {
  soak: "test/soak/**/*.test.ts",
  nemesis: "test/nemesis/nemesis.test.ts",
  pooler: "test/pooler/**/*.test.ts"
}

/** What needs a process of its own: it puts another module in a module's place, or sets OpenTelemetry up. */
const alone = ["test/postgres/embedded-bad-days.test.ts", "test/{engine,consumer}/telemetry*.test.ts"]

const everywhere = {
  setupFiles: ["test/support/leak-check.ts"],
  pool: "forks",
  testTimeout: 60_000,
  hookTimeout: 60_000
} as const

const elsewhere = [...configDefaults.exclude, ...Object.values(apart)]

/** Most files take less time than to load what they import does: here a worker loads it once. */
const together = {
  ...everywhere,
  name: "together",
  include: ["test/**/*.test.ts"],
  exclude: [...elsewhere, ...alone],
  isolate: false,
  typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], ignoreSourceErrors: true }
}

/** `vitest run` runs what every machine can, and fast; `vitest run --mode soak`, for example, one of the others. */
export default defineConfig(({ mode }) => {
  const own = apart[mode]
  return {
    test: {
      globalSetup: ["test/support/global-setup.ts"],
      // The tests share the machine with their PostgreSQL, and more workers than this make its timing unfair.
      maxWorkers: 2,
      sequence: { sequencer: LongestFirst },
      projects:
        own === undefined
          ? [
              { test: together },
              { test: { ...everywhere, name: "alone", include: alone, exclude: elsewhere } }
            ]
          : [{ test: { ...everywhere, name: mode, include: [own] } }]
    }
  }
})
