import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { owns, patience, processLog } from "./process-scene.ts"
import { isThrough } from "./scene.ts"

const log = processLog()

/** Of who stands still: shorter than the usual, so that nobody waits for long until it has ended. */
const LEASE_MS = 1_500

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
    await using first = await log.start([one], { pauseMs: 200, leaseMs: LEASE_MS })
    await owns(first, one.name, 1)
    await using second = await log.start([one])
    await log.emit(stream, ...upTo(5))
    await first.saysThat(({ given }) => given === `${stream} 2`, patience)
    process.kill(first.pid, "SIGSTOP")
    const middle = (await log.emit(stream, 6)).at(-1)!
    await isThrough(log.engine, one.name, middle)
    await pause(LEASE_MS / 4)
    // By now all that it said before it stood still has been heard.
    const given = first.said.filter((said) => said.given !== undefined).length
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
