import type { Bench, Measure } from "../bench.ts"
import { EVENT_TYPE, now, streamOf, type Step } from "../event.ts"
import { figure, type Figure } from "../figure.ts"
import { pace } from "../jobs/pace.ts"
import { median, quantile } from "../quantile.ts"
import { engineAt, storeOf, tidemark } from "../tidemark.ts"

const SUBSCRIBERS = 1000
const DELIVERED_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 20

/** Who hears what: each subscriber follows one agent, or each follows all of them. */
interface Audience {
  readonly figure: string
  readonly perSecond: number
  readonly hearsAll: boolean
}

const EACH_ITS_OWN: Audience = { figure: "subscribers.1000.p50", perSecond: 1000, hearsAll: false }

// 100 events/s to 1000 subscribers are 100 000 callbacks/s.
const ALL_HEAR_ALL: Audience = { figure: "subscribers.1000.all.p50", perSecond: 100, hearsAll: true }

const halfOfTheAges = async (
  bench: Bench,
  { hearsAll, perSecond }: Audience,
  database: string
): Promise<number> => {
  const engine = await engineAt(database)
  const store = storeOf(engine)
  const heard: Array<number> = []
  const hear = async (event: { readonly type: string; readonly data: unknown }): Promise<void> => {
    if (event.type === EVENT_TYPE) heard.push(now() - (event.data as Step).sentAt)
  }

  /** Emits for a while and waits until everybody has heard it. */
  const turn = async (milliseconds: number): Promise<number> => {
    heard.length = 0
    const sent = await pace(store, { perSecond, milliseconds, streams: SUBSCRIBERS })
    const due = hearsAll ? sent * SUBSCRIBERS : sent
    const deadline = performance.now() + DELIVERED_WITHIN_MS
    while (heard.length < due && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    if (heard.length !== due) throw new Error(`${heard.length} callbacks came where ${due} were due.`)
    return quantile(heard, 0.5)
  }

  try {
    for (let agent = 1; agent <= SUBSCRIBERS; agent += 1) {
      await engine.subscribe({ from: "now", ...(hearsAll ? {} : { streams: [streamOf(agent)] }) }, hear)
    }
    await turn(bench.turn / 2)
    const turns: Array<number> = []
    for (let round = 1; round <= bench.rounds; round += 1) {
      bench.note(`  round ${round} of ${bench.rounds}`)
      turns.push(await turn(bench.turn))
    }
    return median(turns)
  } finally {
    await engine.close()
  }
}

const measure = (audience: Audience): Measure => ({
  figures: [audience.figure],
  run: async (bench): Promise<ReadonlyArray<Figure>> => {
    const database = await bench.server.createDatabase("subscribers")
    await tidemark.install(database)
    const value = await halfOfTheAges(bench, audience, database)
    await bench.server.dropDatabase(database)
    return [figure(audience.figure, "ms", value)]
  }
})

export const subscribersOfOne = measure(EACH_ITS_OWN)
export const subscribersOfAll = measure(ALL_HEAR_ALL)
