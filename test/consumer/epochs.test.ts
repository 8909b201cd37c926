import { expect, test } from "vitest"
import { statement } from "../../src/postgres/sql-file.ts"
import { somebodyWaits } from "../log/test-log.ts"
import { collector } from "../support/eventually.ts"
import { consumerLog } from "./scene.ts"

// The epochs that handlers are told only grow as long as a log has subscriptions of a name, whatever becomes of these.

const log = consumerLog()

const textOf = (query: string): string => statement(query, "tidemark").text

/** The epochs of a subscription's partitions, and whether whoever claims one has to be careful. */
const epochsOf = (name: string) =>
  log.db.query<{ epoch: number; clean: boolean }>(
    "select epoch, clean_epoch = epoch as clean from tidemark.subscription_cursors where subscription = $1",
    [name]
  )

test("a handler is told a higher epoch after its subscription was deleted and made again", async () => {
  const one = { ...log.fresh(), from: "start" } as const
  const stream = `${one.categories[0]}-a`
  await log.emit(stream, 1)
  const epochs = collector<number>()
  const subscribe = () => log.engine.subscribe(one, (_, { epoch }) => epochs.push(epoch))
  for (const times of [1, 2, 3]) {
    const subscription = await subscribe()
    const told = await epochs.reaches(times)
    await subscription.control.delete()
    await subscription.done.catch(() => undefined)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(new Set(told).size).toBe(times)
  }
})

test("one that is made while one of the same name is being deleted begins above its epochs", async () => {
  const { name } = log.fresh()
  const make = [name, "{}", 2, 0]
  await log.db.query(textOf("insert_subscription"), make)
  await log.db.query(
    "update tidemark.subscription_cursors set epoch = 700 + partition where subscription = $1",
    [name]
  )
  const session = await log.session()
  await session.query("begin")
  await session.query(textOf("delete_subscription"), [name])
  const making = log.db.query(textOf("insert_subscription"), make)
  await somebodyWaits(log.db)
  await session.query("commit")
  await making
  expect(await epochsOf(name)).toEqual([
    { epoch: 702, clean: true },
    { epoch: 702, clean: true }
  ])
})

test("who deletes one without a partition left, or none, takes no epoch back", async () => {
  const [{ name }, { name: other }] = [log.fresh(), log.fresh()]
  await log.db.query(textOf("insert_subscription"), [name, "{}", 1, 0])
  const [before] = await epochsOf(name)
  await log.db.query(textOf("delete_subscription"), [name])
  await log.db.query(textOf("delete_subscription"), ["of nothing"])
  await log.db.query(textOf("insert_subscription"), [other, "{}", 1, 0])
  expect((await epochsOf(other))[0]!.epoch).toBe(before!.epoch + 1)
})
