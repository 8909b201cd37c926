import type { Bench, Measure } from "../bench.ts"
import { DCB, EMMETT, TIDEMARK } from "../contenders.ts"
import { seat } from "../entrant.ts"
import { figure, type Rival } from "../figure.ts"
import { wire } from "../wire.ts"

const MINUTE_MS = 60_000
const CALM_DOWN_MS = 5000
const MARGIN_MS = 1000

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Statements per minute of an open store with one subscription, all that it offers beside in use, and nothing to do. */
const statementsPerMinute = async (bench: Bench, name: string): Promise<Rival> => {
  const database = await bench.server.createDatabase(name)
  const proxy = await wire(database)
  const entrant = await seat(name, proxy.url, { install: true })
  const listening = entrant.perform("listen", { milliseconds: CALM_DOWN_MS + MINUTE_MS + MARGIN_MS })
  await pause(CALM_DOWN_MS)
  const before = proxy.statements
  await pause(MINUTE_MS)
  const value = proxy.statements - before
  await listening
  await entrant.close()
  await proxy.close()
  await bench.server.dropDatabase(database)
  return { name, value }
}

export const idle: Measure = {
  figures: ["idle.queries_per_minute"],
  // They idle side by side: a minute in which nothing happens disturbs nobody.
  run: async (bench) => {
    bench.note("  one quiet minute")
    const names = [TIDEMARK, EMMETT, DCB]
    const [own, ...rivals] = await Promise.all(names.map((name) => statementsPerMinute(bench, name)))
    return [figure("idle.queries_per_minute", "queries/min", own?.value ?? Number.NaN, rivals)]
  }
}
