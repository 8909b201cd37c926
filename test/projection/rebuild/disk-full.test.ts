import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { DiskFull, PostgresError } from "../../../src/postgres/error.ts"
import { giveToServer, place, smallDisk } from "../../postgres/embedded-scene.ts"
import { connected } from "../../support/admin.ts"
import { currentRun } from "../../support/run.ts"
import { entries, scene } from "../scene.ts"
import { generationsOf, rowsOf, tablesOf } from "./looks.ts"

const { db, start } = scene()

const MEBIBYTES = 2
const EVENTS = 60_000
const tablespace = `small_${process.pid}`

const admin = (sql: string) => connected(currentRun().url, (client) => client.query(sql))

it("a rebuild for which the disk is too small says so, leaves the live tables as they were, and its own none", async () => {
  using folder = place()
  using disk = smallDisk(folder.path, MEBIBYTES)
  const directory = join(disk.path, "tablespace")
  mkdirSync(directory)
  giveToServer(directory)
  await admin(`create tablespace ${tablespace} location '${directory}'`)
  try {
    const name = "crowded"
    const one = await start()
    await one.project(entries({ name }))
    await db.query(
      `with heads as (insert into tidemark.streams values ('bulk-1', $1, false))
       insert into tidemark.events (id, stream, version, type, data)
       select gen_random_uuid(), 'bulk-1', n, 'Counted', '{"by": 1}' from generate_series(1, $1) n`,
      [EVENTS]
    )
    await one.reaches(name, EVENTS)
    const before = await rowsOf(db, name)
    expect(before).toHaveLength(EVENTS)
    const text = `create table :"${name}" (position bigint primary key, stream text not null, by integer not null) tablespace ${tablespace}`
    const crowded = { ...entries({ name, version: 2 }), tables: { text } }
    const failure = await one.rebuild(crowded).then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    if (disk.isReal) {
      expect(failure).toBeInstanceOf(PostgresError)
      expect((failure as PostgresError).reason).toBeInstanceOf(DiskFull)
      expect(await rowsOf(db, name)).toEqual(before)
      expect(await generationsOf(db, name)).toEqual([{ generation: 1, state: "live" }])
      expect(await tablesOf(db, name)).toEqual([`${name}__1`])
    }
    const roomy = entries({ name, version: 3 })
    await one.rebuild(roomy, { keep: 0 })
    expect(await rowsOf(db, name)).toEqual(before)
  } finally {
    await admin("checkpoint")
    await admin(`drop tablespace ${tablespace}`)
  }
})
