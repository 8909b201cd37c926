import { Client } from "pg"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { collector } from "../support/eventually.ts"
import { engines, hearing } from "./scene.ts"

// Rule C5: LISTEN and NOTIFY happen in one agreed place, which need not be where the events are.

const db = testDatabase()
const open = engines()

/** Without a NOTIFY, a reader looks after 5 s. */
const AT_ONCE_MS = 2_000

test("engines that were told one place for their wake-ups hear each other through it, and it alone", async () => {
  const wake = await db.fresh({ empty: true })
  const reads = await open({ database: db.url, wake })
  const writes = await open({ database: db.url, wake })
  await hearing(reads)

  const [row] = await db.query<{ channel: string }>("select tidemark.wake_channel() as channel")
  const beside = new Client({ connectionString: db.url })
  const told: Array<string> = []
  beside.on("notification", ({ payload }) => told.push(payload ?? ""))
  await beside.connect()
  try {
    await beside.query(`listen "${row!.channel}"`)
    const heard = collector<number>()
    await reads.subscribe({ from: "now" }, ({ position }) => heard.push(position))
    for (let n = 1; n <= 3; n++) {
      const { position } = await writes.emit("order-1", { type: "Made" })
      await heard.first((one) => one === position, { within: AT_ONCE_MS, what: "the wake-up of an emit" })
    }
    await beside.query("select 1")
    expect(told).toEqual([])
  } finally {
    await beside.end()
  }
})
