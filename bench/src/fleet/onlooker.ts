import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { builtIn } from "../../../dist/projections/index.js"
import { sql } from "../sql.ts"
import type { Look, Recorded } from "./lags.ts"

const LOOK_EVERY_MS = 50

/** How long what is behind may take in the end, in ms. */
const PATIENCE_MS = 300_000

interface PositionRow {
  readonly name: string
  readonly position: number
  readonly at: number
}

const prepared = (name: string) => sql(name).then((text) => ({ name, text }))

/** Looks how far the read models of a log are, whoever folds them; that costs next to nothing, and what lags were is worked out afterwards. */
export class Onlooker {
  private readonly client: pg.Client

  private constructor(client: pg.Client) {
    this.client = client
  }

  static async of(database: string): Promise<Onlooker> {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    return new Onlooker(client)
  }

  async look(): Promise<Look> {
    const { rows } = await this.client.query<PositionRow>(await prepared("fleet-positions"))
    return { at: rows[0]!.at, positions: new Map(rows.map(({ name, position }) => [name, position])) }
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

  /** The events after a position. */
  async log(after: number): Promise<ReadonlyArray<Recorded>> {
    return (await this.client.query<Recorded>({ ...(await prepared("fleet-events")), values: [after] })).rows
  }

  /** Until all that the log has by now is folded; in how many seconds each read model was there. */
  async caughtUp(): Promise<ReadonlyMap<string, number>> {
    const began = performance.now()
    const { rows } = await this.client.query<{ type: string; position: number }>(await prepared("fleet-ends"))
    const ends = new Map(rows.map(({ type, position }) => [type, position]))
    const left = new Map(
      Object.values(builtIn).map(({ name, events }) => [
        name,
        Math.max(0, ...events.map(({ type }) => ends.get(type) ?? 0))
      ])
    )
    const done = new Map<string, number>()
    while (left.size > 0) {
      const { positions } = await this.look()
      const seconds = (performance.now() - began) / 1000
      for (const [name, end] of left)
        if ((positions.get(name) ?? 0) >= end) {
          left.delete(name)
          done.set(name, seconds)
        }
      if (seconds * 1000 > PATIENCE_MS) throw new Error("The read models did not catch up in time.")
      await pause(LOOK_EVERY_MS)
    }
    return done
  }

  close(): Promise<void> {
    return this.client.end()
  }
}
