import { Effect, Layer } from "effect"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { LogIdentity } from "../../../src/log/identity.ts"
import { Postgres } from "../../../src/postgres/postgres.ts"

// A pooler leads to another server without any connection ending here: what the log said is not believed for long there.

const LONGER_THAN_TRUSTED_MS = 101

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
afterEach(() => void vi.useRealTimers())

const scene = async (isPooled: boolean) => {
  const server = { epoch: 1, asked: 0 }
  const query = () =>
    Effect.sync(() => {
      server.asked += 1
      const row = {
        log_id: "log",
        epoch: server.epoch,
        channel: "c",
        sequence_is_sound: true,
        last_position: "1",
        standby: false
      }
      return { rows: [row], count: 1 }
    })
  const postgres = { schema: "tidemark", changes: () => 0, isPooled: () => isPooled, query } as never
  const layer = Layer.provide(LogIdentity.layer, Layer.succeed(Postgres, postgres))
  const identity = await Effect.runPromise(Effect.provide(LogIdentity, layer))
  const write = () => Effect.runPromise(identity.ready)
  return { server, identity, write, connection: { query } as never }
}

test("behind a pooler a write asks first after a moment, and is of the epoch of the server that took over", async () => {
  const { server, identity, write } = await scene(true)
  server.epoch = 2
  await write()
  expect(identity.current().epoch).toBe(1)
  vi.advanceTimersByTime(LONGER_THAN_TRUSTED_MS)
  await write()
  expect(identity.current().epoch).toBe(2)
  await write()
  expect(server.asked).toBe(2)
})

test("where connections lead to the server itself, nothing is asked while they last", async () => {
  const { server, write } = await scene(false)
  vi.advanceTimersByTime(LONGER_THAN_TRUSTED_MS)
  await write()
  expect(server.asked).toBe(1)
})

test("who is about to write asks on his own connection, and is told whether it leads to the epoch that he means", async () => {
  const { server, identity, connection } = await scene(true)
  const origin = identity.current()
  const isStill = () => Effect.runPromise(identity.isStill(origin, connection))
  expect(await isStill()).toBe(true)
  expect(server.asked).toBe(1)
  vi.advanceTimersByTime(LONGER_THAN_TRUSTED_MS)
  expect(await isStill()).toBe(true)
  expect(await isStill()).toBe(true)
  expect(server.asked).toBe(2)
  vi.advanceTimersByTime(LONGER_THAN_TRUSTED_MS)
  server.epoch = 2
  expect(await isStill()).toBe(false)
  // Its transaction, and with it the new epoch, may be rolled back: that is nobody's to know yet, and asked again at once.
  expect(identity.current().epoch).toBe(1)
  expect(identity.isDoubtful()).toBe(true)
  await Effect.runPromise(identity.sure)
  expect(await isStill()).toBe(false)
  expect(identity.current().epoch).toBe(2)
})
