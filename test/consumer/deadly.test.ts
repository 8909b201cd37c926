import { beforeAll, beforeEach, describe, expect, test } from "vitest"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { startWorker, type Worker } from "../support/process.ts"
import { consumerLog, isThrough } from "./scene.ts"

const log = consumerLog()

interface Said {
  readonly given?: string
  readonly ready?: boolean
}

beforeAll(() => log.db.query("create table handled (nth bigserial primary key, stream text, n integer)"))
beforeEach(() => log.db.query("truncate handled"))

/** Starts a process again whenever it has ended, as a supervisor does, until told to stop. */
const supervised = (input: object) => {
  const workers: Array<Worker<Said>> = []
  let isOver = false
  const keeping = (async () => {
    while (!isOver) {
      const worker = startWorker<Said>("mortal", { input })
      workers.push(worker)
      await worker.exited
    }
  })()
  return {
    workers,
    [Symbol.asyncDispose]: async () => {
      isOver = true
      await workers.at(-1)!.kill()
      await keeping
    }
  }
}

const handledOf = (stream: string) =>
  log.db.query<{ n: number }>("select n from handled where stream = $1 order by nth", [stream])

describe.each([
  ["transactional", true],
  ["at least once", false]
])("an event that ends the process that handles it (%s)", (_, transactional) => {
  test("is parked after as many attempts as any other, and all else is handled", async () => {
    const one = { ...log.fresh(), partitions: 2, transactional }
    const streams = upTo(4).map((n) => `${one.categories[0]}-s${n}`)
    for (const n of upTo(5)) for (const stream of streams) await log.emit(stream, n)
    const [first, second] = streams
    const deadly = { [first!]: 3, [second!]: 4 }
    await using supervisor = supervised({ database: log.db.url, ...one, deadly })
    const control = log.engine.subscription(one.name)
    const parked = await until(
      async () => {
        const held = await control.parked()
        return held.length === 2 && held
      },
      { within: 60_000, what: "both deadly events to be parked" }
    )
    const [last] = await log.emit(streams[2]!, 6)
    await until(
      async () => {
        const { partitions, held } = await control.status()
        return partitions.every(({ position }) => position >= last!) && held.retrying === 0
      },
      { within: 20_000, what: "the others to be handled" }
    )
    expect(parked.map(({ stream, attempts }) => [stream, attempts]).toSorted()).toEqual([
      [first, 2],
      [second, 2]
    ])
    for (const { errors } of parked)
      expect(errors.map(({ message }) => message)).toEqual(
        upTo(2).map(() => expect.stringContaining("ended without a word") as string)
      )
    // The first time nobody watches; then each attempt ends a process.
    expect(supervisor.workers.length - 1).toBeLessThanOrEqual(8)
    expect((await control.status()).held).toEqual({ retrying: 0, waiting: 3, parked: 2 })
    for (const [stream, numbers] of [
      [first!, [1, 2]],
      [second!, [1, 2, 3]],
      [streams[2]!, upTo(6)],
      [streams[3]!, upTo(5)]
    ] as const) {
      const handled = (await handledOf(stream)).map(({ n }) => n)
      expect([stream, [...new Set(handled)]]).toEqual([stream, numbers])
      if (transactional) expect([stream, handled]).toEqual([stream, numbers])
    }
    // With a handler that lives, all of it is.
    await supervisor[Symbol.asyncDispose]()
    const again = await log.engine.subscribe(one, () => undefined)
    await control.retry("all")
    await isThrough(log.engine, one.name, last!)
    expect((await control.status()).held).toEqual({ retrying: 0, waiting: 0, parked: 0 })
    await again.stop()
  }, 120_000)
})

test("an owner that leaves in good order is followed by one that is not careful", async () => {
  const one = log.fresh()
  const engine = await log.open()
  const first = await engine.subscribe(one, () => undefined)
  const clean = async () =>
    (
      await log.db.query<{ is_clean: boolean }>(
        "select clean_epoch = epoch as is_clean from tidemark.subscription_cursors where subscription = $1",
        [one.name]
      )
    )[0]!.is_clean
  await until(() => first.partitions().length === 1)
  expect(await clean()).toBe(false)
  await first.stop()
  expect(await clean()).toBe(true)
  const second = await engine.subscribe(one, () => undefined)
  await until(() => second.partitions().length === 1)
  await engine.close()
  expect(await clean()).toBe(true)
  const third = await log.engine.subscribe(one, () => undefined)
  await until(() => third.partitions().length === 1)
  await third.control.pause()
  expect(await clean()).toBe(true)
  await third.stop()
})
