import { expect, it } from "vitest"
import { until } from "../../support/eventually.ts"
import { Counted, counters, entries, scene } from "../scene.ts"
import { generationsOf, rowsOf } from "./looks.ts"

const { db, start } = scene()

it.each([
  ["entities", counters],
  ["rows", entries]
])("a rebuild of %s beside an append under way waits for it instead of skipping it", async (shape, make) => {
  const one = await start()
  const definition = make({ name: `waited_${shape}` })
  const { name } = definition
  await one.project(definition)
  await one.reaches(name, await one.emit("before-1", Counted.make({ by: 1 })))
  const slow = await db.session()
  await slow.query("begin")
  await slow.query(`select tidemark.append_events('slow-1', '[{"type": "Counted", "data": {"by": 2}}]')`)
  const last = await one.emit("after-1", Counted.make({ by: 3 }))
  const rebuilding = one.rebuild(definition)
  await until(async () => (await generationsOf(db, name)).some(({ state }) => state === "building"))
  await until(
    async () =>
      (
        await db.query(
          "select from pg_stat_activity where query like '%log_holders%' and pid <> pg_backend_pid()"
        )
      ).length > 0
  )
  await slow.query("commit")
  await rebuilding
  await one.reaches(name, last)
  const found = (await rowsOf(db, `${name}__2`)).map((row) => String(row["stream"] ?? row["id"]))
  expect(found.toSorted()).toEqual(["after-1", "before-1", "slow-1"])
})
