import { randomUUID } from "node:crypto"
import { describe, expect, test } from "vitest"
import { BATCH_PATIENCE_MS } from "../../src/log/append-call.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

interface Appended {
  readonly position: string | null
  readonly version: string | null
  readonly verdict: string | null
  readonly actual: string
}

const append = async (
  stream: string,
  expected: number | null,
  id: string = randomUUID(),
  data = "{}"
): Promise<Appended> => {
  const [row] = await db.query<Appended & Record<string, unknown>>(
    "select * from tidemark.append_lone($1, $2, $3, 'Done', $4, '{}', '{}', 1)",
    [stream, expected, id, data]
  )
  return row!
}

const heads = async (stream: string) =>
  db.query("select version from tidemark.streams where stream = $1", [stream])

describe("append_lone", () => {
  test("appends to a stream that is not there yet, and to one that is", async () => {
    expect(await append("lone-1", null)).toMatchObject({ version: "1", verdict: null, actual: "0" })
    expect(await append("lone-1", 1)).toMatchObject({ version: "2", verdict: null, actual: "1" })
    expect(await append("lone-1", -1)).toMatchObject({ version: "3", verdict: null, actual: "2" })
  })

  test("refuses where the stream is at another version, and leaves the head as it was", async () => {
    await append("lone-2", 0)
    expect(await append("lone-2", 0)).toMatchObject({ verdict: "conflict", actual: "1" })
    expect(await append("lone-2", 7)).toMatchObject({ verdict: "conflict", actual: "1" })
    expect(await heads("lone-2")).toEqual([{ version: "1" }])
  })

  test("leaves no head behind where a stream should be there and is not", async () => {
    expect(await append("lone-3", -1)).toMatchObject({ verdict: "conflict", actual: "0" })
    expect(await heads("lone-3")).toEqual([])
  })

  test("returns the first place of an event that is sent again, whatever is expected by then", async () => {
    const id = randomUUID()
    const first = await append("lone-4", 0, id)
    await append("lone-4", 1)
    expect(await append("lone-4", 0, id)).toMatchObject({
      position: first.position,
      version: "1",
      verdict: "repeated"
    })
    expect(await append("lone-4", null, id)).toMatchObject({
      position: first.position,
      version: "1",
      verdict: "repeated"
    })
    expect(await heads("lone-4")).toEqual([{ version: "2" }])
  })

  test("refuses another event under a known id", async () => {
    const id = randomUUID()
    await append("lone-5", null, id)
    expect(await append("lone-5", null, id, '{"other": true}')).toMatchObject({
      verdict: "duplicate",
      actual: "1"
    })
    expect(await heads("lone-5")).toEqual([{ version: "1" }])
  })

  test("puts telemetry where telemetry belongs", async () => {
    await db.query("select tidemark.declare_category('pulse', true)")
    await append("pulse-1", null)
    expect(await append("pulse-1", null)).toMatchObject({ version: "2", verdict: null })
    expect(
      await db.query("select version from tidemark.telemetry where stream = 'pulse-1' order by 1")
    ).toEqual([{ version: "1" }, { version: "2" }])
  })

  test("waits for a lock as long as a batch does", async () => {
    const [row] = await db.query<{ settings: ReadonlyArray<string> }>(
      "select proconfig as settings from pg_proc where oid = 'tidemark.append_lone'::regproc"
    )
    expect(row!.settings).toContain(`lock_timeout=${BATCH_PATIENCE_MS}ms`)
  })
})
