import { afterEach, describe, expect, test } from "vitest"
import { type Engine, open } from "../../src/index.ts"
import { upTo } from "../log/test-log.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { collector, deferred, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"
import { privateServer, standbyOf } from "../support/server.ts"

// One address behind which a standby that lags takes the place of the primary, while readers are in the middle of what is behind
// them (rules S7 and S10).

/** What both servers have: more than one page, and less than half. */
const KEPT = 1_200
/** What only the primary has, of which a reader already knows that it is settled. */
const AHEAD = 1_500
const GATE_AT = 10
const WITHIN_MS = 20_000

const servers: Array<Cluster> = []
const ends: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  for (const server of servers.splice(0).toReversed()) await server.remove()
})

const fill = async (url: string, count: number, type: string): Promise<void> => {
  const engine = await open({ database: url, logger: false })
  for (let sent = 0; sent < count; sent += 300)
    await engine.emit(
      "order-1",
      upTo(Math.min(300, count - sent)).map(() => ({ type }))
    )
  // It is written down as settled while somebody reads.
  const { position } = await engine.emit("order-1", { type })
  const reader = await engine.subscribe({}, () => undefined)
  await until(
    async () =>
      Number((await onServer(url, "select position as at from tidemark.settled"))[0]!.at) >= position,
    {
      within: WITHIN_MS
    }
  )
  await reader.stop()
  await engine.close()
}

const onServer = (url: string, sql: string) =>
  connected(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows)

/** The standby has all that the primary has written so far. */
const isUpToDate = async (standby: Cluster, primary: Cluster): Promise<boolean> => {
  const [written] = await onServer(primary.url, "select pg_current_wal_lsn() as lsn")
  const [replayed] = await onServer(
    standby.url,
    `select pg_last_wal_replay_lsn() >= '${String(written!.lsn)}' as is_there`
  )
  return replayed!.is_there === true
}

/** The standby keeps what it has: it replays nothing more until it is told to. */
const pause = async ({ url }: Cluster): Promise<void> => {
  await onServer(url, "select pg_wal_replay_pause()")
  await until(
    async () =>
      (await onServer(url, "select pg_get_wal_replay_pause_state() as state"))[0]!.state === "paused"
  )
}

/** The standby gets nothing more from its primary, also when it is promoted. */
const cutOff = async ({ url }: Cluster, primary: Cluster): Promise<void> => {
  await onServer(url, "alter system set primary_conninfo = ''")
  await onServer(url, "select pg_reload_conf()")
  await until(async () => (await onServer(primary.url, "select from pg_stat_replication")).length === 0)
}

/** A primary, a standby that knows half of it, and an address that leads to the primary so far. */
const scene = async (
  keepBack: (standby: Cluster, primary: Cluster) => Promise<void>,
  before: (url: string) => Promise<unknown> = async () => undefined
) => {
  const primary = await privateServer()
  servers.push(primary)
  await fill(primary.url, KEPT - 1, "Kept")
  const standby = await standbyOf(primary)
  servers.push(standby)
  const proxy = await startProxy(primary.url)
  ends.push(() => proxy.close())
  await before(proxy.url)
  await until(async () => isUpToDate(standby, primary), { within: WITHIN_MS })
  await keepBack(standby, primary)
  await fill(primary.url, AHEAD - 1, "Ahead")
  return { primary, standby, proxy, url: proxy.url }
}
type Scene = Awaited<ReturnType<typeof scene>>

const opened = async (url: string, options: Parameters<typeof open>[0] = {}) => {
  const engine = await open({ database: url, logger: false, ...options })
  ends.push(() => engine.close())
  return engine
}

/** The address leads to the standby from now on. */
const leadAway = ({ proxy, standby }: Scene): void => {
  proxy.lead(standby.url)
  proxy.cut()
}

/** How many events were heard of each type, and that each came once and in order. */
const tally = (heard: ReadonlyArray<{ type: string; version: number }>) => {
  expect(heard.map(({ version }) => version)).toEqual(upTo(heard.length))
  return heard.reduce<Record<string, number>>(
    (counts, { type }) => ({ ...counts, [type]: (counts[type] ?? 0) + 1 }),
    {}
  )
}

const ALL = { Kept: KEPT, Ahead: AHEAD }

describe("where a standby that lags answers in the place of the primary,", () => {
  test("a subscription that catches up waits for it, and misses nothing", async () => {
    const all = await scene(pause)
    const engine = await opened(all.url)
    const gate = deferred()
    const heard = collector<{ type: string; version: number }>()
    await engine.subscribe({ from: "start" }, async (event) => {
      heard.push(event)
      if (event.version === GATE_AT) await gate.promise
    })
    await heard.reaches(GATE_AT)
    leadAway(all)
    gate.resolve()
    await until(async () => (await engine.status()).standby)
    await onServer(all.standby.url, "select pg_wal_replay_resume()")
    expect(tally(await heard.reaches(KEPT + AHEAD, { within: WITHIN_MS }))).toEqual(ALL)
  }, 90_000)

  test("a replay waits for it, and misses nothing", async () => {
    const all = await scene(pause)
    const engine = await opened(all.url)
    const seen: Array<{ type: string; version: number }> = []
    for await (const event of engine.replay()) {
      seen.push(event)
      if (event.version !== GATE_AT) continue
      leadAway(all)
      setTimeout(() => void onServer(all.standby.url, "select pg_wal_replay_resume()"), 1_000)
    }
    expect(tally(seen)).toEqual(ALL)
  }, 90_000)
})

describe("where a standby that lagged is promoted in the place of the primary,", () => {
  const INSTEAD = 40

  /** Leads the address to the promoted standby, and appends to it what takes the place of what was lost. */
  const failOver = async (all: Scene): Promise<void> => {
    await all.primary.stop("immediate")
    await onServer(all.standby.url, "select pg_promote()")
    leadAway(all)
    await fill(all.standby.url, INSTEAD - 1, "Instead")
  }

  test("a subscription that catches up hears what took the place of what was lost", async () => {
    const all = await scene(cutOff)
    const engine = await opened(all.url)
    const gate = deferred()
    const heard = collector<{ type: string; version: number }>()
    await engine.subscribe({ from: "start" }, async (event) => {
      heard.push(event)
      if (event.version === GATE_AT) await gate.promise
    })
    await heard.reaches(GATE_AT)
    await failOver(all)
    gate.resolve()
    expect(tally(await heard.reaches(KEPT + INSTEAD, { within: WITHIN_MS }))).toEqual({
      Kept: KEPT,
      Instead: INSTEAD
    })
  }, 90_000)

  test("a durable subscription handles what took the place of what was lost, also where others noticed first", async () => {
    const heard = collector<{ type: string; position: number }>()
    const gate = deferred()
    let engine: Engine | undefined
    // Its claim is older than the cut, so that the promoted server takes it for the owner that it was.
    const all = await scene(cutOff, async (url) => {
      engine = await opened(url)
      await engine.subscribe({ name: "catches-up", from: "start", categories: ["order"] }, async (event) => {
        heard.push(event)
        if (heard.items.length === GATE_AT) await gate.promise
      })
      await heard.reaches(GATE_AT, { within: WITHIN_MS })
    })
    const { epoch } = await engine!.status()
    await failOver(all)
    await until(async () => (await engine!.status()).epoch > epoch, { within: WITHIN_MS })
    gate.resolve()
    const positionsOf = (wanted: string) =>
      new Set(heard.items.filter(({ type }) => type === wanted).map(({ position }) => position))
    await until(() => positionsOf("Instead").size === INSTEAD, { within: WITHIN_MS })
    expect(positionsOf("Kept").size).toBe(KEPT)
  }, 90_000)
})
