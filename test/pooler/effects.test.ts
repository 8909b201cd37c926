import { setTimeout as pause } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { isThrough, word } from "../consumer/scene.ts"
import { upTo } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"
import { numbered, pooledLog } from "./scene.ts"

// What handlers write in their transactions, by way of PgBouncer in transaction mode, while it and its sessions come and go.

const log = pooledLog()

describe("transactional handlers at work", () => {
  test.each([
    ["sessions are ended by an administrator", () => log.endSessions()],
    ["the pooler is restarted", () => log.pooler.restart()]
  ] as const)("while %s, again and again, have their effects exactly once", async (what, happens) => {
    const name = what.split(" ")[0]!
    await log.db.query(`create table ${name} (nth bigserial, word text)`)
    const engines = [await log.open(), await log.open()]
    // A transaction each, so that there are many COMMITs to fall into.
    const each = { partitions: 4, transactional: true, ack: "event" } as const
    const options = { name, categories: [name], ...each }
    const entered = { count: 0 }
    for (const engine of engines)
      await engine.subscribe(options, async (event, { tx }) => {
        await tx.query(`insert into public.${name} (word) values ($1)`, [word(event)])
        entered.count += 1
        await pause(2)
      })
    let last = 0
    for (const round of upTo(4)) {
      const before = entered.count
      for (const s of upTo(4)) {
        const events = numbered(upTo(12).map((n) => round * 100 + n))
        last = (await engines[0]!.emit(`${name}-s${s}.`, events)).position
      }
      for (const more of [6, 14, 22]) {
        await until(() => entered.count > before + more, { what: "handlers to be at work" })
        await happens()
      }
    }
    await isThrough(engines[1]!, name, last)
    const words = (await log.db.query<{ word: string }>(`select word from ${name} order by nth`)).map(
      (row) => row.word
    )
    for (const s of upTo(4)) {
      const wanted = upTo(4).flatMap((round) => upTo(12).map((n) => `s${s}.${round * 100 + n}`))
      expect(words.filter((each) => each.startsWith(`s${s}.`))).toEqual(wanted)
    }
  })
})
