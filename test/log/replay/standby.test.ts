import { afterAll, beforeAll, expect, test } from "vitest"
import { type Engine, open, type ReplayOptions } from "../../../src/index.ts"
import { statement } from "../../../src/postgres/sql-file.ts"
import { connected } from "../../support/admin.ts"
import type { Cluster } from "../../support/cluster.ts"
import { until } from "../../support/eventually.ts"
import { privateServer, standbyOf } from "../../support/server.ts"
import { upTo } from "../test-log.ts"
import { replayed } from "./replayed.ts"

// On a hot standby the locks of the primary cannot be seen: what is settled is what the primary has written down (rule S7).

let primary: Cluster
let standby: Cluster
let writer: Engine
let reader: Engine

beforeAll(async () => {
  primary = await privateServer()
  writer = await open({ database: primary.url, logger: false })
  standby = await standbyOf(primary)
  reader = await open({ database: standby.url, logger: false })
})

afterAll(async () => {
  await Promise.all([reader?.close(), writer?.close()])
  await standby?.remove()
  await primary?.remove()
})

const numbers = async (options?: ReplayOptions) =>
  (await replayed(reader, { ...options, categories: ["order"] })).map(({ data }) => (data as { n: number }).n)

test("a replay on a standby waits for the token that it is to end at, and has all up to there", async () => {
  let token = ""
  for (const n of upTo(20)) ({ token } = await writer.emit(`order-${n % 3}`, { type: "Made", data: { n } }))
  expect(await numbers({ to: token })).toEqual(upTo(20))
  expect(await numbers({ from: token })).toEqual([])
})

test("an audit on a standby shows the same trees", async () => {
  const { events } = await writer.emit("order-9", { type: "Made", data: { n: 21 } })
  const { token } = await writer.emit("bill-9", { type: "Sent" }, { meta: { causationId: events[0]!.id } })
  await replayed(reader, { to: token })
  const { entries } = await reader.audit({ event: events[0]!.id })
  expect(entries.map(({ event, depth }) => [event.type, depth])).toEqual([
    ["Made", 0],
    ["Sent", 1]
  ])
})

test("a replay on a standby ends where the log was written down as settled, whatever else is there", async () => {
  await writer.close()
  const position = await connected(primary.url, async (client) => {
    const { rows } = await client.query<{ position: string }>(
      `select position from tidemark.append_events('order-1', '[{"type": "Made", "data": {"n": 99}}]')`
    )
    return Number(rows[0]!.position)
  })
  await until(() =>
    connected(
      standby.url,
      async (client) =>
        (await client.query("select from tidemark.events where position = $1", [position])).rows.length === 1
    )
  )
  expect(await numbers()).toEqual(upTo(21))
  const asked = numbers({ to: position })
  await expect(asked).rejects.toMatchObject({ _tag: "Unavailable" })
  await expect(asked).rejects.toThrow("this standby has not heard yet")
})

test("a standby gives no page of a stretch that it does not know to be settled, whoever said that it is", async () => {
  const reaches = (url: string, position: number) =>
    connected(url, (client) => client.query("select tidemark.reaches($1)", [position]))
  const settled = await connected(standby.url, async (client) => {
    const { rows } = await client.query<{ at: string }>("select tidemark.settled_position() as at")
    return Number(rows[0]!.at)
  })
  await reaches(standby.url, settled)
  await reaches(primary.url, settled + 1)
  await expect(reaches(standby.url, settled + 1)).rejects.toMatchObject({ code: "TM007" })
  const { text } = statement("read_page", "tidemark")
  const page = [0, settled + 1, 1_000, null, null, null, null, null, 1_000_000]
  const read = connected(standby.url, (client) => client.query(text, page))
  await expect(read).rejects.toMatchObject({ code: "TM007" })
})
