import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Engine, LogRewound, open, ReadOnly, Unavailable } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { collector, until } from "../support/eventually.ts"
import { privateServer, standbyOf } from "../support/server.ts"

// A hot standby in earnest (rules S7 and S10), from its first read to its promotion. Each test goes on from the one before.

let primary: Cluster
let standby: Cluster
let writer: Engine
let reader: Engine

/** As long as a read of the standby may be behind: what is settled is written down every second, and read every quarter. */
const BEHIND_MS = 5_000
const EMIT_DEADLINE_MS = 1_500

beforeAll(async () => {
  primary = await privateServer()
  const first = await open({ database: primary.url, logger: false })
  await first.emit("order-1", { type: "Made", data: { n: 1 } })
  await first.close()
  standby = await standbyOf(primary)
  writer = await open({ database: primary.url, logger: false })
  reader = await open({ database: standby.url, logger: false, emitDeadlineMs: EMIT_DEADLINE_MS })
})

afterAll(async () => {
  await Promise.all([reader?.close(), writer?.close()])
  await standby?.remove()
  await primary?.remove()
})

const heard = collector<string>()
const numberOf = ({ data }: { readonly data: unknown }) => (data as { n: number }).n
const expectReplayed = async (position: number) =>
  until(
    () =>
      connected(standby.url, async (client) => {
        const { rows } = await client.query("select from tidemark.events where position = $1", [position])
        return rows.length === 1
      }),
    { within: BEHIND_MS, what: `the standby to replay position ${position}` }
  )

describe("an engine on a hot standby", () => {
  test("opens, and says that it is on one", async () => {
    const { standby: isStandby, epoch } = await reader.status()
    expect({ isStandby, epoch }).toEqual({ isStandby: true, epoch: (await writer.status()).epoch })
  })

  test("hears every event in order, as far as the primary has written down that it is settled", async () => {
    await reader.subscribe({ from: "start" }, (event) => heard.push(`${numberOf(event)} ${event.position}`))
    const written = await writer.subscribe({ from: "now" }, () => {})
    for (let n = 2; n <= 20; n++) await writer.emit(`order-${n % 3}`, { type: "Made", data: { n } })
    await heard.reaches(20, { within: BEHIND_MS })
    expect(heard.items.map((item) => Number(item.split(" ")[0]))).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1)
    )
    await written.stop()
  })

  test("reads a stream to the end of what was replayed, and resumes from a token of the primary's", async () => {
    const { position, token } = await writer.emit("order-1", { type: "Made", data: { n: 21 } })
    await expectReplayed(position)
    const numbers: Array<number> = []
    for await (const event of reader.read("order-1", { backwards: true, limit: 1 }))
      numbers.push(numberOf(event))
    expect(numbers).toEqual([21])
    const resumed = await reader.subscribe({ from: token }, () => {})
    await resumed.stop()
  })

  test("hears of what was emitted where nobody listens on the primary", async () => {
    await heard.reaches(21, { within: BEHIND_MS })
  })

  test("refuses an emit when its time is up, and a transaction at once, each saying why", async () => {
    const before = performance.now()
    const emitted = await reader.emit("order-1", { type: "Made" }).catch((error) => error)
    expect(emitted).toBeInstanceOf(Unavailable)
    expect(emitted.message).toMatch(/read-only|recovery/)
    expect(performance.now() - before).toBeLessThan(EMIT_DEADLINE_MS + 1_000)
    const refused = await reader
      .transaction(async (tx) => {
        tx.emit("order-1", { type: "Made" })
      })
      .catch((error) => error)
    expect(refused).toBeInstanceOf(ReadOnly)
    expect(refused.message).toContain("Connect to the primary")
    expect(performance.now() - before).toBeLessThan(EMIT_DEADLINE_MS + 2_000)
  })
})

/** From here on the standby gets nothing from its primary. */
const cutOff = async (): Promise<void> => {
  await connected(standby.url, async (client) => {
    await client.query("alter system set primary_conninfo = ''")
    await client.query("select pg_reload_conf()")
  })
  await until(
    () =>
      connected(
        primary.url,
        async (client) => (await client.query("select from pg_stat_replication")).rows.length === 0
      ),
    { what: "the primary to lose its standby" }
  )
}

describe("after the primary is gone and the standby was promoted, the engine", () => {
  let kept: string
  let lost: string
  let lostPosition: number
  let epoch: number

  beforeAll(async () => {
    const last = await writer.emit("order-1", { type: "Made", data: { n: 22 } })
    kept = last.token
    epoch = (await reader.status()).epoch
    await expectReplayed(last.position)
    await cutOff()
    const unheard = await writer.emit("order-1", { type: "Made", data: { n: -1 } })
    lost = unheard.token
    lostPosition = unheard.position
    await writer.close()
    await primary.stop("immediate")
    await connected(standby.url, (client) => client.query("select pg_promote()"))
  })

  test("writes, in a new epoch, and its subscription goes on without loss and without doubles", async () => {
    const next = await reader.emit("order-1", { type: "Made", data: { n: 23 } }, { expected: "exists" })
    await heard.reaches(23, { within: BEHIND_MS })
    expect(heard.items.map((item) => Number(item.split(" ")[0]))).toEqual(
      Array.from({ length: 23 }, (_, at) => at + 1)
    )
    expect(new Set(heard.items).size).toBe(23)
    const now = await reader.status()
    expect(now.standby).toBe(false)
    expect(now.epoch).toBe(epoch + 1)
    expect(next.position).toBeGreaterThanOrEqual(lostPosition)
  })

  test("goes on from a token of before, and knows one of an event that was lost", async () => {
    const again = collector<number>()
    const resumed = await reader.subscribe({ from: kept }, (event) => again.push(numberOf(event)))
    expect(await again.reaches(1)).toEqual([23])
    await resumed.stop()
    await expect(reader.subscribe({ from: lost }, () => {})).rejects.toBeInstanceOf(LogRewound)
  })
})
