import { describe, expect, test } from "vitest"
import type { Subscription } from "../../../src/index.ts"
import { collector, deferred, inTime, until } from "../../support/eventually.ts"
import { MAX_BUFFERED_EVENTS } from "../../../src/log/subscription.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const batch = 500

const emitMany = async (stream: string, count: number) => {
  for (let sent = 0; sent < count; sent += batch) {
    await log.engine.emit(
      stream,
      upTo(Math.min(batch, count - sent)).map((n) => ({ type: "N", data: { n } }))
    )
  }
}

/** A subscriber whose handler stands at its first event until it is let go. */
const slow = async (stream: string) => {
  const gate = deferred()
  const versions: Array<number> = []
  const states = new Set<string>()
  let buffered = 0
  const subscription: Subscription = await log.engine.subscribe(
    { streams: [stream] },
    async ({ version }) => {
      versions.push(version)
      await gate.promise
      const status = subscription.status()
      buffered = Math.max(buffered, status.buffered)
      states.add(status.state)
    }
  )
  return { versions, states, subscription, letGo: gate.resolve, mostBuffered: () => buffered }
}

describe("a slow subscriber", () => {
  test("does not hold others back, buffers no more than its bound, and hears everything once when it is let go", async () => {
    const stream = log.stream()
    const count = 4 * MAX_BUFFERED_EVENTS
    const one = await slow(stream)
    const quick = collector<number>()
    const other = await log.engine.subscribe({ streams: [stream] }, ({ version }) => quick.push(version))
    await emitMany(stream, count)
    expect(await quick.reaches(count)).toEqual(upTo(count))
    expect(one.versions).toEqual([1])
    expect(one.subscription.status().buffered).toBeLessThanOrEqual(MAX_BUFFERED_EVENTS)

    one.letGo()
    await until(() => one.versions.length >= count)
    expect(one.versions).toEqual(upTo(count))
    expect(one.mostBuffered()).toBeLessThanOrEqual(MAX_BUFFERED_EVENTS)
    expect(one.states).toContain("catching up")

    await until(() => one.subscription.status().state === "live")
    await emitMany(stream, 1)
    await until(() => one.versions.length === count + 1)
    await Promise.all([one.subscription.stop(), other.stop()])
    expect(one.versions).toEqual(upTo(count + 1))
  })

  test("alone in its process catches up and joins again too", async () => {
    const stream = log.stream()
    const count = 2 * MAX_BUFFERED_EVENTS + 1
    const one = await slow(stream)
    await emitMany(stream, count)
    await until(() => one.versions.length === 1)
    one.letGo()
    await until(() => one.versions.length === count)
    await emitMany(stream, 3)
    await until(() => one.versions.length === count + 3)
    expect(one.versions).toEqual(upTo(count + 3))
    await one.subscription.stop()
  })

  test("whose filter passes little is not thrown out by what it does not want", async () => {
    const [wanted, noise] = [log.stream(), log.stream()]
    const one = await slow(wanted)
    const passed = collector<number>()
    const other = await log.engine.subscribe({ streams: [noise] }, ({ version }) => passed.push(version))
    await emitMany(wanted, 10)
    await emitMany(noise, 3 * MAX_BUFFERED_EVENTS)
    await passed.reaches(3 * MAX_BUFFERED_EVENTS)
    await emitMany(noise, 1)
    await passed.reaches(3 * MAX_BUFFERED_EVENTS + 1)
    one.letGo()
    await until(() => one.versions.length === 10)
    expect(one.states).toEqual(new Set(["live"]))
    await Promise.all([one.subscription.stop(), other.stop()])
  })

  test("that is stopped in the middle of a backlog stops there", async () => {
    const stream = log.stream()
    const one = await slow(stream)
    await emitMany(stream, 2 * MAX_BUFFERED_EVENTS)
    await until(() => one.versions.length === 1)
    const stopping = one.subscription.stop()
    one.letGo()
    await inTime(stopping)
    expect(one.versions).toEqual([1])
  })
})
