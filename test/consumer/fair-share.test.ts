import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { fairShare } from "../../src/consumer/fair-share.ts"
import { upTo } from "../log/test-log.ts"
import { consumerLog, own } from "./scene.ts"

const log = consumerLog()

const parts = fc.integer({ min: 1, max: 256 })
const members = fc.integer({ min: 1, max: 40 })
const sharesOf = (all: number, among: number) => upTo(among).map((n) => fairShare(all, among, n - 1))

describe("the shares of members", () => {
  test("are all there is, and as even as can be", () => {
    fc.assert(
      fc.property(parts, members, (all, among) => {
        const shares = sharesOf(all, among)
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(all)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
      })
    )
  })

  test("never grow for those who are there when somebody joins, nor shrink for those who stay when somebody leaves", () => {
    fc.assert(
      fc.property(parts, members, fc.nat(), (all, among, who) => {
        const before = sharesOf(all, among)
        const joined = sharesOf(all, among + 1)
        for (const [rank, share] of before.entries()) expect(joined[rank]).toBeLessThanOrEqual(share)
        const leaver = who % (among + 1)
        const stayed = joined.toSpliced(leaver, 1)
        for (const [rank, share] of before.entries()) expect(share).toBeGreaterThanOrEqual(stayed[rank]!)
      })
    )
  })
})

test("four partitions of three engines are two, one and one, whoever comes and goes", async () => {
  const one = { ...log.fresh(), partitions: 4 }
  const [first, second, third, fourth] = [log.engine, await log.open(), await log.open(), await log.open()]
  // Not in the order in which the engines were opened.
  const a = await third.subscribe(one, () => undefined)
  await own([a], [4])
  const b = await first.subscribe(one, () => undefined)
  await own([a, b], [2, 2])
  const c = await fourth.subscribe(one, () => undefined)
  await own([a, b, c], [2, 1, 1])
  const epochs = () =>
    log.db.query(
      "select partition, epoch from tidemark.subscription_cursors where subscription = $1 order by 1",
      [one.name]
    )
  const before = await epochs()
  const d = await second.subscribe(one, () => undefined)
  await own([a, b, c, d], [1, 1, 1, 1])
  // One partition changed hands, and no other.
  const changed = (await epochs()).filter((row, at) => JSON.stringify(row) !== JSON.stringify(before[at]))
  expect(changed).toHaveLength(1)
  await a.stop()
  await own([b, c, d], [2, 1, 1])
  await Promise.all([b, c, d].map((member) => member.stop()))
})
