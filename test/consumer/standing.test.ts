import { describe, expect, test } from "vitest"
import type { DurableStatus, Engine } from "../../src/index.ts"
import { partitionOf } from "../../src/log/share.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { consumerLog, isThrough, noting, own } from "./scene.ts"

const log = consumerLog()

const counted = (events: number) => ({ atLeast: events, atMost: events, isCount: true })

/** Over how long a rate is taken, in s. */
const RATE_WINDOW_S = 10

/** As many events in one append as there may be. */
const AT_ONCE = 1_000

const many = async (stream: string, count: number) => {
  for (let left = count; left > 0; left -= AT_ONCE)
    await log.engine.emit(
      stream,
      upTo(Math.min(left, AT_ONCE)).map((n) => ({ type: "Numbered", data: { n } }))
    )
}

describe("the lag of a durable subscription", () => {
  test("is the number of events that it has still to handle, and of no others, from any engine", async () => {
    const one = { ...log.fresh(), partitions: 3, types: ["Wanted"], labels: ["red"] }
    const [category] = one.categories
    const member = await log.engine.subscribe(one, () => undefined)
    await own([member], [3])
    await member.stop()
    const other = await log.open()
    const status = () => other.subscription(one.name).status()
    expect(await status()).toMatchObject({ lag: counted(0), lagMs: 0 })
    const streams = upTo(9).map((n) => `${category}-s${n}`)
    const wanted = { type: "Wanted", data: {}, labels: ["red"] }
    for (const stream of streams) {
      await other.emit(stream, [wanted, { type: "Other", data: {} }, { ...wanted, labels: ["blue"] }])
      await other.emit(stream.replace(`${category}`, "elsewhere"), [wanted])
    }
    const { lag, lagMs, partitions } = await status()
    expect(lag).toEqual(counted(9))
    expect(lagMs).toBeGreaterThan(0)
    expect(partitions.map((each) => each.lag)).toEqual(
      [0, 1, 2].map((part) => counted(streams.filter((stream) => partitionOf(stream, 3) === part).length))
    )
    const all = (await other.status()).durable.find(({ name }) => name === one.name)
    expect(all?.lag).toEqual(counted(9))
  })

  test("is that of the filter, whatever it filters by", async () => {
    const { categories } = log.fresh()
    const [stream, other] = ["a", "b"].map((id) => `${categories[0]}-${id}`) as [string, string]
    const filters = [{}, { streams: [stream] }, { agent: "a" }, { agent: "b", categories }] as const
    const names = await Promise.all(
      filters.map(async (filter) => {
        const { name } = log.fresh()
        const member = await log.engine.subscribe({ name, ...filter }, () => undefined)
        await member.stop()
        return name
      })
    )
    await log.engine.emit(stream, [{ type: "Done", data: {} }], { meta: { actor: "b" } })
    await log.emit(other, 1)
    await log.emit("elsewhere-c", 1)
    const lags = await Promise.all(
      names.map(async (name) => (await log.engine.subscription(name).status()).lag)
    )
    expect(lags).toEqual([3, 1, 1, 2].map(counted))
  })

  test("is not that of events that it does not want: neither many nor old ones are any", async () => {
    const one = log.fresh()
    const member = await log.engine.subscribe(one, () => undefined)
    await member.stop()
    await log.emit("elsewhere-a", ...upTo(5))
    const { lag, lagMs, partitions } = await log.engine.subscription(one.name).status()
    expect({ lag, lagMs }).toEqual({ lag: counted(0), lagMs: 0 })
    expect(partitions[0]!.lag).toEqual(counted(0))
  })

  test("is counted as far as ten thousand events; beyond that, it is between what was counted and the positions ahead", async () => {
    const behind = log.fresh()
    const ahead = { ...log.fresh(), categories: behind.categories, partitions: 2 }
    const category = behind.categories[0]!
    const members = await Promise.all(
      [behind, ahead].map((one) => log.engine.subscribe(one, () => undefined))
    )
    await Promise.all(members.map((one) => one.stop()))
    const statusOf = ({ name }: { readonly name: string }) => log.engine.subscription(name).status()
    const { position } = (await statusOf(behind)).partitions[0]!
    await many(`${category}-a`, 9_000)
    await many("elsewhere-a", 1_000)
    expect((await statusOf(behind)).lag).toEqual(counted(9_000))
    await many(`${category}-a`, 500)
    const { lag, lagMs } = await statusOf(behind)
    const { head } = await log.engine.status()
    expect(lag).toEqual({ atLeast: 9_000, atMost: head - position, isCount: false })
    expect(lagMs).toBeGreaterThan(0)
    // One partition near the end: what it is behind with is counted, though the other is far away.
    const near = partitionOf(`${category}-a`, 2)
    await log.db.query(
      "update tidemark.subscription_cursors set position = $3 where subscription = $1 and partition = $2",
      [ahead.name, near, head - 100]
    )
    const apart = await statusOf(ahead)
    const far = { atLeast: 0, atMost: head - position, isCount: false }
    expect(apart.partitions.map((each) => each.lag)).toEqual(
      near === 0 ? [counted(100), far] : [far, counted(100)]
    )
    expect(apart.lag).toEqual({ ...far, atLeast: 100 })
  })
})

const rates = async (engine: Engine, name: string): Promise<ReadonlyArray<number | undefined>> =>
  (await engine.subscription(name).status()).partitions.map(({ rate }) => rate)

const sum = ({ partitions }: DurableStatus) => partitions.reduce((all, { rate = 0 }) => all + rate, 0)

describe.each([false, true])("the rate of a durable subscription (transactional: %s)", (transactional) => {
  test("is its owner's, from any engine, and fades when nothing more comes", async () => {
    const one = { ...log.fresh(), partitions: 2, transactional }
    const [category] = one.categories
    const other = await log.open()
    const heard = noting()
    const member = await log.engine.subscribe(one, heard.handler)
    await own([member], [2])
    expect(await rates(other, one.name)).toEqual([0, 0])
    // A batch of each partition, so that none has another reason to write its rate down.
    const streams = [0, 1].map((part) =>
      upTo(50)
        .map((n) => `${category}-s${n}.`)
        .find((stream) => partitionOf(stream, 2) === part)!
    )
    let last = 0
    for (const stream of streams) last = (await log.emit(stream, ...upTo(20))).at(-1)!
    await heard.reaches(40)
    await isThrough(other, one.name, last)
    const seen = await other.subscription(one.name).status()
    const since = performance.now()
    expect(sum(seen)).toBeGreaterThan(40 / RATE_WINDOW_S / 2)
    expect(sum(seen)).toBeLessThanOrEqual(40 / RATE_WINDOW_S)
    // The window slides on although the owner has nothing to write down.
    await log.db.query(
      "update tidemark.subscription_cursors set moved_at = moved_at - interval '5 seconds' where subscription = $1",
      [one.name]
    )
    const passed = (performance.now() - since) / 1_000
    const later = sum(await other.subscription(one.name).status())
    expect(later).toBeLessThanOrEqual(sum(seen) / 2 + 0.1)
    expect(later).toBeGreaterThan(sum(seen) * (1 - (5 + passed + 1) / RATE_WINDOW_S) - 0.2)
    await log.db.query(
      "update tidemark.subscription_cursors set moved_at = moved_at - interval '10 seconds' where subscription = $1",
      [one.name]
    )
    await until(async () => sum(await other.subscription(one.name).status()) === 0)
    await member.stop()
    expect(await rates(other, one.name)).toEqual([undefined, undefined])
  })
})
