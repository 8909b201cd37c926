import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { DEFAULT_LEASE_MS as LEASE_MS } from "../../src/fleet/fleet.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"
import { owns, patience, processLog, type Subscribed } from "./process-scene.ts"
import { isThrough } from "./scene.ts"

const log = processLog()

describe.each([
  ["transactional", true],
  ["at least once", false]
])("a process that works on a subscription (%s)", (_, transactional) => {
  test("and is killed is followed by another within five seconds, which loses nothing", async () => {
    const one = { ...log.fresh(), partitions: 1, transactional }
    const stream = `${one.categories[0]}-a`
    await using first = await log.start([one], { pauseMs: 5 })
    await owns(first, one.name, 1)
    await using second = await log.start([one])
    await log.emit(stream, ...upTo(50))
    await first.saysThat(({ given }) => given === `${stream} 20`, patience)
    await first.kill()
    const since = performance.now()
    await second.saysThat(({ given }) => given !== undefined, patience)
    expect(performance.now() - since).toBeLessThan(5_000)
    const [last] = await log.emit(stream, 51)
    await isThrough(log.engine, one.name, last!)
    const numbers = (await log.handledOf(one.name)).map(({ n }) => n)
    expect([...new Set(numbers)]).toEqual(upTo(51))
    if (transactional) expect(numbers).toEqual(upTo(51))
  })

  test("and stands still for longer than its lease is given nothing, and writes nothing, when it wakes up", async () => {
    const one = { ...log.fresh(), partitions: 1, transactional }
    const stream = `${one.categories[0]}-a`
    await using first = await log.start([one], { pauseMs: 200 })
    await owns(first, one.name, 1)
    await using second = await log.start([one])
    await log.emit(stream, ...upTo(5))
    await first.saysThat(({ given }) => given === `${stream} 2`, patience)
    process.kill(first.pid, "SIGSTOP")
    const given = first.said.filter((said) => said.given !== undefined).length
    const middle = (await log.emit(stream, 6)).at(-1)!
    await isThrough(log.engine, one.name, middle)
    await pause(LEASE_MS / 4)
    process.kill(first.pid, "SIGCONT")
    await owns(first, one.name, 0)
    const last = (await log.emit(stream, 7)).at(-1)!
    await isThrough(log.engine, one.name, last)
    expect(first.said.filter((said) => said.given !== undefined)).toHaveLength(given)
    const numbers = (await log.handledOf(one.name)).map(({ n }) => n)
    expect([...new Set(numbers)]).toEqual(upTo(7))
    if (transactional) expect(numbers).toEqual(upTo(7))
    await second.kill()
  })
})

test("processes that are killed, stopped and started while handlers fail handle every event, in the order of its stream", async () => {
  const seed = seedFor("killed and stopped consumers")
  const { oneOf, chance, between } = random(seed)
  const streams = 9
  const both: ReadonlyArray<Subscribed> = [true, false].map((transactional) => ({
    ...log.fresh(),
    partitions: 3,
    transactional
  }))
  const workers = await Promise.all(upTo(3).map(() => log.start(both, { failing: 0.03, pauseMs: 1 })))
  const emitted = new Map<string, number>()
  let last = 0
  const emitting = new AbortController()
  const writing = (async () => {
    while (!emitting.signal.aborted) {
      for (const { categories } of both) {
        const stream = `${categories[0]}-s${between(1, streams)}`
        const n = (emitted.get(stream) ?? 0) + 1
        emitted.set(stream, n)
        last = (await log.emit(stream, n))[0]!
      }
      await pause(between(1, 8))
    }
  })()
  try {
    for (let round = 0; round < 6; round += 1) {
      await pause(between(300, 1_200))
      const victim = oneOf(workers)
      if (chance(0.5)) {
        await victim.kill()
        workers[workers.indexOf(victim)] = await log.start(both, { failing: 0.03, pauseMs: 1 })
      } else {
        process.kill(victim.pid, "SIGSTOP")
        await pause(between(0, 1) * LEASE_MS + between(100, 1_500))
        process.kill(victim.pid, "SIGCONT")
      }
      if (round === 2)
        await Promise.all(both.map(({ name }) => log.engine.subscription(name).change({ partitions: 5 })))
    }
    emitting.abort()
    await writing
    for (const { name } of both)
      await until(
        async () => {
          const { partitions, held, dealing } = await log.engine.subscription(name).status()
          const isEmpty = held.retrying + held.waiting + held.parked === 0
          return dealing === undefined && isEmpty && partitions.every(({ position }) => position >= last)
        },
        { within: 30_000, what: `${name} to come to its end` }
      )
    for (const { name, transactional, categories } of both) {
      const handled = await log.handledOf(name)
      for (const [stream, count] of emitted) {
        if (!stream.startsWith(`${categories[0]}-`)) continue
        const numbers = handled.filter((each) => each.stream === stream).map(({ n }) => n)
        expect([stream, [...new Set(numbers)]]).toEqual([stream, upTo(count)])
        if (transactional) expect([stream, numbers]).toEqual([stream, upTo(count)])
      }
    }
  } finally {
    emitting.abort()
    await writing
    for (const worker of workers) {
      process.kill(worker.pid, "SIGCONT")
      await worker.kill()
    }
  }
}, 120_000)
