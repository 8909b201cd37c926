import { describe, expect, it } from "vitest"
import { IDLE_MOVE_MS } from "../../src/projection/runner.ts"
import { until } from "../support/eventually.ts"
import { Counted, counters, entries, scene } from "./scene.ts"

const { db, start } = scene()

const rowOf = async (name: string) => {
  const [row] = await db.query<{ position: number; writes: string }>(
    "select position::integer, xmin::text as writes from tidemark.projections where name = $1",
    [name]
  )
  return row!
}

describe("the cursor", () => {
  it("moves in the very transaction that writes the tables", async () => {
    const one = await start()
    await one.project(entries({ name: "same" }))
    const position = await one.emit("same-1", Counted.make({ by: 1 }))
    await one.reaches("same", position)
    expect(
      await db.query(
        `select entry.xmin = cursor.xmin as together, cursor.position >= entry.position as moved
         from tidemark.same__1 entry, tidemark.projections cursor where cursor.name = 'same'`
      )
    ).toEqual([{ together: true, moved: true }])
  })

  it("stays where it is when the tables cannot be written, and goes on once they can", async () => {
    const one = await start()
    await one.project(counters({ name: "locked" }))
    await one.reaches("locked", await one.emit("locked-1", Counted.make({ by: 1 })))
    const before = await rowOf("locked")
    const holder = await db.session()
    await holder.query("begin")
    await holder.query("lock table tidemark.locked__1 in access exclusive mode")
    const position = await one.emit("locked-1", Counted.make({ by: 2 }))
    await until(async () => {
      const { rows } = await holder.query(
        "select from pg_locks where relation = 'tidemark.locked__1'::regclass and not granted"
      )
      return rows.length > 0
    })
    const { rows } = await holder.query(
      "select position::integer from tidemark.projections where name = 'locked'"
    )
    expect(rows).toEqual([{ position: before.position }])
    await holder.query("commit")
    await one.reaches("locked", position)
    expect(await db.query("select total, events from tidemark.locked where id = 'locked-1'")).toEqual([
      { total: 3, events: 2 }
    ])
  })

  it("moves over events that the projection does not fold, but seldom", async () => {
    const one = await start()
    await one.project(counters({ name: "idle" }))
    await one.reaches("idle", await one.emit("idle-1", Counted.make({ by: 1 })))
    const seen = new Set<string>()
    const since = performance.now()
    let position = 0
    for (let count = 0; count < 60; count++) {
      position = await one.emit("idle-2", { type: "Ignored" })
      seen.add((await rowOf("idle")).writes)
    }
    await one.reaches("idle", position)
    await until(async () => (await rowOf("idle")).position >= position)
    const seconds = (performance.now() - since) / IDLE_MOVE_MS
    expect(seen.size).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
    const { writes } = await rowOf("idle")
    // Nothing new, so nothing is written: two seconds would show it.
    await until(() => performance.now() - since > (seconds + 1.5) * IDLE_MOVE_MS)
    expect((await rowOf("idle")).writes).toBe(writes)
  })

  it("resumes where it was when the engine is opened again", async () => {
    const first = await start()
    await first.project(counters({ name: "resumed" }))
    await first.reaches("resumed", await first.emit("resumed-1", Counted.make({ by: 1 })))
    const ignored = await first.emit("resumed-2", { type: "Ignored" })
    await first.reaches("resumed", ignored)
    await first.close()
    expect((await rowOf("resumed")).position).toBeGreaterThanOrEqual(ignored)

    const between = await start()
    await between.emit("resumed-1", Counted.make({ by: 2 }))
    const second = await start()
    await second.project(counters({ name: "resumed" }))
    await second.reaches("resumed", await second.emit("resumed-1", Counted.make({ by: 4 })))
    expect(await db.query("select total, events from tidemark.resumed where id = 'resumed-1'")).toEqual([
      { total: 7, events: 3 }
    ])
  })

  it("is refused where it lies beyond the head of the log", async () => {
    const one = await start()
    await one.project(counters({ name: "rewound" }))
    await one.close()
    await db.query("update tidemark.projections set position = 1000000 where name = 'rewound'")
    const two = await start()
    await two.project(counters({ name: "rewound" }))
    await until(() => two.status("rewound").state === "stopped")
    expect(two.status("rewound").error?.message).toContain("rewound")
  })
})
