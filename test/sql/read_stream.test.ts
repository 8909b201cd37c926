import { beforeAll, describe, expect, test } from "vitest"
import { testLog, upTo } from "../log/test-log.ts"

const log = testLog()

beforeAll(async () => {
  await log.engine.emit(
    "order-read",
    upTo(5).map((n) => ({ type: `Step${n}` }))
  )
  await log.engine.emit("order-other", { type: "Noise" })
})

const versions = async (call: string, params: ReadonlyArray<unknown> = []) =>
  (await log.db.query<{ version: string }>(`select version from tidemark.read_stream(${call})`, params)).map(
    ({ version }) => Number(version)
  )

describe("read_stream", () => {
  test.each<readonly [string, string, ReadonlyArray<number>]>([
    ["gives every event in order", "'order-read'", upTo(5)],
    ["may begin at a version", "'order-read', 4", [4, 5]],
    ["may be of a window", "'order-read', 2, 3", [2, 3]],
    ["may be limited", "'order-read', batch => 2", [1, 2]],
    ["may go backwards", "'order-read', backwards => true", [5, 4, 3, 2, 1]],
    ["may go backwards in a limited window", "'order-read', 1, 4, 2, true", [4, 3]],
    ["of an unknown stream is empty", "'order-unknown'", []],
    ["of a malformed name is empty", "'no stream'", []],
    ["of null is empty", "null", []]
  ])("%s", async (_, call, expected) => {
    expect(await versions(call)).toEqual(expected)
  })

  test("is strong: it sees an append as soon as that is committed, settled or not", async () => {
    const holder = await log.session()
    await holder.query("begin")
    await holder.query("select append_events('order-slow', '[{\"type\": \"Slow\"}]')")
    const stream = log.stream()
    await log.engine.emit(stream, { type: "A" })
    expect(await versions("$1", [stream])).toEqual([1])
    expect(await versions("'order-slow'")).toEqual([])
    await holder.query("commit")
    expect(await versions("'order-slow'")).toEqual([1])
  })

  test("belongs to the snapshot of the query around it", async () => {
    const session = await log.session()
    const stream = log.stream()
    await session.query("begin isolation level repeatable read")
    await session.query("select")
    const count = () => session.query("select count(*)::integer as n from read_stream($1)", [stream])
    expect(await count()).toEqual([{ n: 0 }])
    await log.engine.emit(stream, { type: "A" })
    expect(await count()).toEqual([{ n: 0 }])
    await session.query("commit")
    expect(await count()).toEqual([{ n: 1 }])
  })
})

test("stream_version is the version of the head, 0 for an unknown stream", async () => {
  const ask = (stream: string) =>
    log.db.query("select tidemark.stream_version($1)::integer as version", [stream])
  expect(await ask("order-read")).toEqual([{ version: 5 }])
  expect(await ask("order-unknown")).toEqual([{ version: 0 }])
})
