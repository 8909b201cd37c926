import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { partitionOf } from "../../src/log/share.ts"
import { deferred, until } from "../support/eventually.ts"
import { consumerLog, isThrough, own, word } from "./scene.ts"

// Whoever changes a subscription takes its partitions from their owners; nobody begins there before they have seen it.

const log = consumerLog()

interface Epoch {
  readonly partition: number
  readonly epoch: number
  readonly owner: string | null
}

const epochs = (name: string) =>
  log.db.query<Epoch>(
    "select partition, epoch, owner from tidemark.subscription_cursors where subscription = $1 order by partition",
    [name]
  )

/** Two members with a partition each; the first is at an event of its own, and stays there until it is let go. */
const scene = async () => {
  const { name, categories } = log.fresh()
  const [a, b] = [await log.open(), await log.open()]
  const gate = deferred<void>()
  const begun: Array<string> = []
  const handler = (who: string) => async (event: Event) => {
    begun.push(`${who} ${word(event)}`)
    if (who === "A" && begun.filter((one) => one.startsWith("A")).length === 1) await gate.promise
  }
  const options = { name, categories, partitions: 2 }
  const first = await a.subscribe(options, handler("A"))
  await own([first], [2])
  const second = await b.subscribe(options, handler("B"))
  await own([first, second], [1, 1])
  const { partition } = first.partitions()[0]!
  const id = Array.from({ length: 50 }, (_, n) => `s${n}.`).find(
    (one) => partitionOf(`${categories[0]}-${one}`, 2) === partition
  )!
  const [, last] = await log.emit(`${categories[0]}-${id}`, 1, 2)
  await until(() => begun.length === 1)
  const stop = () => Promise.all([first.stop(), second.stop()])
  return { name, a, begun, gate, id, last: last!, partition, control: second.control, stop }
}

test("nobody begins in a partition that was taken from its owner before that has ended with the event it is at", async () => {
  const { name, a, begun, gate, id, last, partition, control, stop } = await scene()
  const before = await epochs(name)
  await control.resume()
  // The other has given up its own, and claimed what there was to claim.
  const theirs = before.findIndex((one) => one.partition !== partition)
  await until(async () => (await epochs(name))[theirs]!.epoch === before[theirs]!.epoch + 2)
  const [mine] = (await epochs(name)).filter((one) => one.partition === partition)
  expect(mine).toEqual({ ...before[1 - theirs]!, epoch: before[1 - theirs]!.epoch + 1 })
  expect(begun).toEqual([`A ${id}1`])
  gate.resolve()
  await isThrough(a, name, last)
  expect(begun.filter((one) => one.endsWith("2"))).toHaveLength(1)
  await stop()
})

test("streams are not dealt anew while an owner is at an event yet", async () => {
  const { name, a, begun, gate, id, last, control, stop } = await scene()
  await control.change({ partitions: 5 })
  expect((await control.status()).dealing).toBeDefined()
  // The other has nothing left to do but to wait for it.
  await until(async () => (await epochs(name)).some(({ owner }) => owner === null))
  expect((await control.status()).dealing).toBeDefined()
  expect(begun).toEqual([`A ${id}1`])
  gate.resolve()
  await until(async () => (await epochs(name)).length === 5)
  await isThrough(a, name, last)
  await stop()
})

test("what was taken goes on at once where its owner is at nothing", async () => {
  const { name, a, begun, gate, id, last, control, stop } = await scene()
  gate.resolve()
  await isThrough(a, name, last)
  await control.rewind("start")
  await until(() => begun.filter((one) => one.endsWith(` ${id}2`)).length === 2)
  await stop()
})

test("streams are not dealt anew while a partition is stopped: its event waits for whoever resumes it", async () => {
  const one = { ...log.fresh(), partitions: 2 }
  const [category] = one.categories
  const calls: Array<string> = []
  let isMended = false
  const member = await log.engine.subscribe({ ...one, retry: { attempts: 1, giveUp: "stop" } }, (event) => {
    calls.push(word(event))
    if (!isMended) throw new Error("of bad luck")
  })
  const [last] = await log.emit(`${category}-a`, 1)
  const control = log.engine.subscription(one.name)
  await until(async () => (await control.status()).partitions.some(({ state }) => state === "stopped"))
  await control.pause()
  await until(async () => (await epochs(one.name)).every(({ owner }) => owner === null))
  await log.db.query(
    `update tidemark.subscription_cursors set position = (
       select min(position) from tidemark.subscription_cursors where subscription = $1
     ) where subscription = $1`,
    [one.name]
  )
  await control.change({ partitions: 3 })
  expect((await control.status()).dealing).toBeDefined()
  expect(calls).toEqual(["a1"])
  isMended = true
  await control.resume()
  await until(async () => (await epochs(one.name)).length === 3)
  await isThrough(log.engine, one.name, last!)
  await member.stop()
})

test("held events are tried again in a partition that waits for the others to come to where streams are dealt anew", async () => {
  const one = { ...log.fresh(), partitions: 2 }
  const [category] = one.categories
  let isMended = false
  const member = await log.engine.subscribe({ ...one, retry: { attempts: 1 } }, () => {
    if (!isMended) throw new Error("of bad luck")
  })
  const control = log.engine.subscription(one.name)
  const [parked] = await log.emit(`${category}-a`, 1)
  await until(async () => (await control.status()).held.parked === 1)
  // The other partition is behind, and nobody can work on it.
  const mine = partitionOf(`${category}-a`, 2)
  await until(async () => (await control.status()).partitions.every(({ position }) => position >= parked!))
  await log.db.query(
    "update tidemark.subscription_cursors set state = 'stopped', owner = null, epoch = epoch + 1, position = position - 1 where subscription = $1 and partition <> $2",
    [one.name, mine]
  )
  await control.change({ partitions: 3 })
  await until(async () => (await epochs(one.name)).every(({ owner }) => owner === null))
  isMended = true
  await control.retry(parked!)
  await until(async () => (await control.status()).held.parked + (await control.status()).held.retrying === 0)
  expect((await control.status()).dealing).toBeDefined()
  await control.resume()
  await until(async () => (await epochs(one.name)).length === 3)
  await member.stop()
})
