import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { DEFAULT_LEASE_MS as LEASE_MS } from "../../src/fleet/fleet.ts"
import { processLog, type Subscribed } from "../consumer/process-scene.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { random, seedFor } from "../support/random.ts"

const log = processLog()

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
