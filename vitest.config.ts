import { configDefaults, defineConfig } from "vitest/config"
import { LONG } from "./test/support/long.ts"
import { LongestFirst } from "./test/support/longest-first.ts"

/** What runs in a mode of its own: what takes very long, and what needs a PgBouncer. */
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
  // A million rows take long to make.
  hookTimeout: process.env["TIDEMARK_PLAN_ROWS"] === undefined ? 60_000 : 1_200_000
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

const long = { ...everywhere, name: "long", include: [...LONG], exclude: elsewhere, isolate: false }

const short = { ...together, exclude: [...together.exclude, ...LONG] }

const isolated = { ...everywhere, name: "alone", include: alone, exclude: elsewhere }

/** Whoever names files wants just these, long or not. */
const areNamed = process.argv.slice(2).some((word) => word.startsWith("test/"))

const projectsOf = (mode: string) => {
  const own = apart[mode]
  if (own !== undefined) return [{ ...everywhere, name: mode, include: [own] }]
  if (mode === "long") return [long]
  return [mode === "whole" || areNamed ? together : short, isolated]
}

/** `vitest run` runs what every machine can, and fast; `vitest run --mode long`, for example, what takes longer; `--mode whole` both. */
export default defineConfig(({ mode }) => ({
  test: {
    globalSetup: ["test/support/global-setup.ts"],
    // The tests share the machine with their PostgreSQL, and more workers than this make its timing unfair.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: projectsOf(mode).map((test) => ({ test }))
  }
}))
