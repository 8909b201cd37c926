import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { builtIn } from "../../../dist/projections/index.js"
import { quantile } from "../quantile.ts"
import { sql } from "../sql.ts"

const LOOK_EVERY_MS = 200

/** How long what is behind may take in the end, in ms. */
const PATIENCE_MS = 300_000

/** How far one read model is behind. */
interface Lag {
  readonly name: string
  /** For how long the oldest event has been there that it has still to fold. */
  readonly ms: number
  /** From that one to the end of the log. */
  readonly positions: number
}

/** All read models at one moment. */
export type Look = ReadonlyArray<Lag>

const TYPES = JSON.stringify(
  Object.fromEntries(Object.values(builtIn).map(({ name, events }) => [name, events.map(({ type }) => type)]))
)

export const slowest = (look: Look): Lag => look.reduce((worst, lag) => (lag.ms > worst.ms ? lag : worst))

/** Looks at the read models of a log by a connection of its own, whoever folds them. */
export class Lags {
  private readonly client: pg.Client
  private readonly text: string

  private constructor(client: pg.Client, text: string) {
    this.client = client
    this.text = text
  }

  static async of(database: string): Promise<Lags> {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    return new Lags(client, await sql("fleet-lag"))
  }

  async look(): Promise<Look> {
    return (await this.client.query<Lag>(this.text, [TYPES])).rows
  }

  /** Looks again and again until something is done. */
  async during(work: Promise<unknown>): Promise<ReadonlyArray<Look>> {
    const looks: Array<Look> = []
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    work.then(over, over)
    while (!isOver) {
      looks.push(await this.look())
      await pause(LOOK_EVERY_MS)
    }
    return looks
  }

  /** Until nothing is left to fold; in how many seconds each of them was there. */
  async caughtUp(): Promise<ReadonlyMap<string, number>> {
    const began = performance.now()
    const done = new Map<string, number>()
    for (;;) {
      const look = await this.look()
      const seconds = (performance.now() - began) / 1000
      for (const { name, ms } of look) if (ms === 0 && !done.has(name)) done.set(name, seconds)
      if (done.size === look.length) return done
      if (seconds * 1000 > PATIENCE_MS) throw new Error("The read models did not catch up in time.")
      await pause(LOOK_EVERY_MS / 4)
    }
  }

  close(): Promise<void> {
    return this.client.end()
  }
}

/** Quantiles of how far one read model was behind, in ms, of the worst of them first. */
export const byModel = (looks: ReadonlyArray<Look>) =>
  (looks[0] ?? [])
    .map(({ name }) => {
      const ms = looks.map((look) => look.find((lag) => lag.name === name)!.ms)
      return { name, p50: quantile(ms, 0.5), max: Math.max(...ms), end: ms.at(-1)! }
    })
    .toSorted((a, b) => b.max - a.max)
