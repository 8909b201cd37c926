import pg from "pg"
import { expect, test } from "vitest"
import { collector } from "../support/eventually.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

test("wake() tells how far the log can be seen, not how far positions are drawn", async () => {
  const { position } = await log.engine.emit(log.stream(), { type: "Seen" })
  const session = await log.session()
  await session.query("begin")
  await session.query("select * from append_events($1, $2)", [log.stream(), '[{"type": "Drawn"}]'])
  const listener = new pg.Client({ connectionString: log.db.url })
  await listener.connect()
  try {
    const [{ channel }] = (await log.db.query<{ channel: string }>(
      "select tidemark.wake_channel() as channel"
    )) as [{ channel: string }]
    const heard = collector<string>()
    listener.on("notification", ({ payload }) => heard.push(payload ?? ""))
    await listener.query(`listen "${channel}"`)
    await log.db.query("select tidemark.wake()")
    expect(await heard.reaches(1)).toEqual([String(position)])
  } finally {
    await listener.end()
    await session.query("rollback")
  }
})
