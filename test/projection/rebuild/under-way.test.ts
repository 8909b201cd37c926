import { expect, it } from "vitest"
import { Counted, counters, entries, scene } from "../scene.ts"
import { rowsOf } from "./looks.ts"

const { db, start } = scene()

it.each([
  ["entities", counters],
  ["rows", entries]
])(
  "a rebuild of %s beside an append under way does not skip it, nor wait for its end: it is folded when it is committed",
  async (shape, make) => {
    const one = await start()
    const definition = make({ name: `waited_${shape}` })
    const { name } = definition
    await one.project(definition)
    await one.reaches(name, await one.emit("before-1", Counted.make({ by: 1 })))
    const slow = await db.session()
    await slow.query("begin")
    await slow.query(`select tidemark.append_events('slow-1', '[{"type": "Counted", "data": {"by": 2}}]')`)
    const last = await one.emit("after-1", Counted.make({ by: 3 }))
    const report = await one.rebuild(definition)
    // What lies behind the append is not passed.
    expect(report.position).toBeLessThan(last - 1)
    expect(await rowsOf(db, name)).toHaveLength(1)
    await slow.query("commit")
    await one.reaches(name, last)
    const found = (await rowsOf(db, `${name}__2`)).map((row) => String(row["stream"] ?? row["id"]))
    expect(found.toSorted()).toEqual(["after-1", "before-1", "slow-1"])
  }
)
