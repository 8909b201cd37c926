import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Engine, open, ProjectionBehind, Unavailable } from "../../src/index.ts"
import { openSession } from "../log/test-log.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { until } from "../support/eventually.ts"
import { History } from "../support/history.ts"
import { random, seedFor } from "../support/random.ts"
import { privateServer, standbyOf } from "../support/server.ts"
import { startLoad } from "./load.ts"
import { readToEnd, startReader, wholeLog } from "./scene.ts"

// Rule S7 under load: whatever a reader of a streaming replica sees is what was settled on its primary, and it can wait for a token.

const WRITERS = 4
const EMITS = 400
/** What is settled is written down once a second. */
const ENDS = 4
/** As long as a test waits to see that something is waited for, in ms. */
const HELD_MS = 300

let primary: Cluster
let standby: Cluster
let writers: ReadonlyArray<Engine> = []
let reader: Engine

const onStandby = async <Row extends Record<string, unknown>>(text: string): Promise<ReadonlyArray<Row>> =>
  connected(standby.url, async (client) => (await client.query<Row>(text)).rows)

beforeAll(async () => {
  primary = await privateServer()
  await (await open({ database: primary.url, logger: false })).close()
  standby = await standbyOf(primary)
  writers = await Promise.all(
    Array.from({ length: WRITERS }, () => open({ database: primary.url, logger: false }))
  )
  reader = await open({ database: standby.url, logger: false })
})

afterAll(async () => {
  await Promise.all([reader, ...writers].map((engine) => engine?.close()))
  await standby?.remove()
  await primary?.remove()
})

/** Until `over`: transactions whose positions are drawn early, and which commit late or never. */
const reconsider = async (engine: Engine, { chance }: ReturnType<typeof random>, over: () => boolean) => {
  for (let n = 0; !over(); n += 1) {
    const doomed = engine.transaction(async (tx) => {
      tx.emit(`agent-${n % 5}`, { type: "Considered", data: { content: "" } })
      await tx.flush()
      if (chance(0.5)) throw new Error("on second thoughts")
    })
    await doomed.catch(() => undefined)
    await engine.agents.register({ agent: `${n % 50}` })
  }
}

/** What one snapshot of the standby shows. */
type Snapshot = {
  /** The settled positions. */
  readonly settled: ReadonlyArray<number>
  /** How many agents the read model has, and how many the events have that it says it has folded. */
  readonly agents: number
  readonly folded: number
}

const SNAPSHOT = `
  select
    (select coalesce(array_agg(position::float8 order by position), '{}')
     from tidemark.log_events where position <= tidemark.settled_position()) as settled,
    (select count(*)::integer from tidemark.agents) as agents,
    (select count(distinct stream)::integer from tidemark.log_events
     where type = 'AgentRegistered' and position <= (select position from tidemark.projections where name = 'agents')) as folded`

const look = (): Promise<Snapshot> => onStandby<Snapshot>(SNAPSHOT).then(([row]) => row!)

describe("while writers write and roll back on the primary, a reader on its standby", () => {
  test("sees at any moment a beginning of the settled log, and read models that are the fold of one", async () => {
    const seed = seedFor("standby readers")
    const history = new History()
    const heard = await startReader(reader, history, "on the standby")
    await using load = startLoad(writers[0]!, history, { random: random(seed), callers: 8, streams: 12 })
    await using more = startLoad(writers[1]!, history, { random: random(seed + 1), callers: 8, streams: 12 })
    let over = false
    const unsteady = [writers[2]!, writers[3]!].map((engine, n) =>
      reconsider(engine, random(seed + 2 + n), () => over)
    )
    const snapshots: Array<Snapshot> = []
    const looking = (async () => {
      while (!over) snapshots.push(await look())
    })()
    // A position that is drawn, and stays under way while hundreds behind it commit.
    const slow = await openSession(primary.url)
    await slow.query("begin")
    await slow.query(`select append_events('order-slow', '[{"type": "Slow", "data": {"content": "slow"}}]')`)
    const [held] = await slow.query<{ position: number }>(
      "select max(position)::float8 as position from log_events"
    )
    await load.reaches(EMITS, 30_000)
    await until(async () => (await onStandby("select from tidemark.events offset 100")).length > 0, {
      what: "the standby to have what was committed behind the slow append"
    })
    const meanwhile = await look()
    expect(meanwhile.settled.every((position) => position < held!.position)).toBe(true)
    await slow.query("commit")
    await slow.close()
    await until(() => new Set(snapshots.map(({ settled }) => settled.length)).size > ENDS, {
      within: 30_000,
      what: "the standby to show several ends of the log"
    })
    await Promise.all([load.stop(), more.stop()])
    over = true
    await Promise.all([looking, ...unsteady])

    await readToEnd(writers[0]!, history, heard)
    await heard.subscription.stop()
    // What the agents' events have instead of content.
    const log = (await wholeLog(primary.url)).map((event) => ({
      ...event,
      content: event.content ?? undefined
    }))
    const positions = log.map(({ position }) => position)
    expect(history.violations(log)).toEqual([])
    for (const { settled, agents, folded } of snapshots) {
      expect(settled).toEqual(positions.slice(0, settled.length))
      expect(agents).toBe(folded)
    }
    expect(positions.at(-1)!).toBeGreaterThan(positions.length)
  })
})

const heldFor = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve("waits"), ms))

/** Runs `work` while the standby receives and does not replay. */
const whileNothingIsReplayed = async (work: (resume: () => Promise<unknown>) => Promise<void>) => {
  const resume = () => onStandby("select pg_wal_replay_resume()")
  await onStandby("select pg_wal_replay_pause()")
  await until(
    async () =>
      (await onStandby("select from pg_get_wal_replay_pause_state() state where state = 'paused'")).length ===
      1,
    { what: "the standby to pause" }
  )
  try {
    await work(resume)
  } finally {
    await resume()
  }
}

test("what is on a standby is looked after and searched as on its primary", async () => {
  await writers[0]!.systemState.set({ key: "mascot", value: "walrus" })
  await until(async () => (await reader.search("walrus")).length === 1)
  await until(async () => (await reader.health()).status === "healthy", {
    what: "a standby that is well"
  })
  expect((await reader.statistics()).cache).toMatchObject({ entries: 0 })
  expect((await reader.context()).text).toContain('mascot = "walrus"')
})

describe("on a standby that is behind, a token of the primary's", () => {
  test("is waited for, by a query and by a subscription, and reached when the replay gets there", async () => {
    await whileNothingIsReplayed(async (resume) => {
      const { token, position } = await writers[0]!.agents.register({ agent: "late" })
      const heard: Array<number> = []
      const found = reader.agents.get({ agent: "late" }, { after: token })
      const subscribed = reader.subscribe({ from: token }, (event) => void heard.push(event.position))
      expect(await Promise.race([found, subscribed, heldFor(HELD_MS)])).toBe("waits")
      await resume()
      expect(await found).toMatchObject({ agent: "late", state: "running" })
      const subscription = await subscribed
      expect(subscription.position).toBeGreaterThanOrEqual(position)
      expect(heard.filter((one) => one <= position)).toEqual([])
      await subscription.stop()
    })
  })

  test("that does not come in time fails with the reason, and the next one is served again", async () => {
    await whileNothingIsReplayed(async (resume) => {
      const { token, position } = await writers[0]!.agents.register({ agent: "too-late" })
      const [found, subscribed] = await Promise.allSettled([
        reader.agents.get({ agent: "too-late" }, { after: token }),
        reader.subscribe({ from: token }, () => {})
      ])
      expect(found).toMatchObject({ reason: expect.any(ProjectionBehind) })
      expect(subscribed).toMatchObject({ reason: expect.any(Unavailable) })
      for (const outcome of [found, subscribed]) {
        const { message } = (outcome as PromiseRejectedResult).reason as Error
        expect(message).toMatch(/this standby has replayed the log up to \d+/)
        expect(message).toContain(`did not reach position ${position} in 5000 ms`)
      }
      await resume()
      expect(await reader.agents.get({ agent: "too-late" }, { after: token })).toMatchObject({
        state: "running"
      })
    })
  })

  test("whose read model nobody folds on the primary is named as such", async () => {
    await Promise.all(writers.map((engine) => engine.close()))
    const alone = await open({ database: primary.url, logger: false, readModels: "follow" })
    writers = [alone]
    const { token } = await alone.agents.register({ agent: "unfolded" })
    const error = await reader.agents.get({ agent: "unfolded" }, { after: token }).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(ProjectionBehind)
    expect(error.message).toContain("Projection agents")
    expect(error.message).toMatch(/another process folds it|has not been read up to there/)
  })
})
