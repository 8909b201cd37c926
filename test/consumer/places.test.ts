import { Effect } from "effect"
import { expect, test } from "vitest"
import { Doubtful, Places } from "../../src/consumer/places.ts"

// Rule S10 for what an owner writes: never on a server that may not have had the events that it handled.

const place = { name: "s", partition: 0, epoch: 1, owner: "me", position: 3 }

const scene = () => {
  const log = { epoch: 1, isDoubtful: false, written: 0 }
  const query = () =>
    Effect.sync(() => {
      log.written += 1
      return { rows: [{ stream: null, is_held: null, next: null }], count: 1 }
    })
  const withConnection = (use: (connection: unknown) => unknown) => use({ query })
  const identity = {
    current: () => ({ id: "log", epoch: log.epoch }),
    isStill: (origin: { readonly epoch: number }) =>
      Effect.succeed(!log.isDoubtful && log.epoch === origin.epoch)
  }
  const places = new Places({ schema: "tidemark", withConnection } as never, identity as never)
  const keep = () => Effect.runSync(Effect.flip(places.keep(place, { id: "log", epoch: 1 }, 5, { rate: 0 })))
  return { log, places, keep }
}

test("a cursor moves on the log that its events were read from", () => {
  const { log, places } = scene()
  expect(Effect.runSync(places.keep(place, { id: "log", epoch: 1 }, 5, { rate: 0 }))).toEqual([])
  expect(log.written).toBe(1)
})

test("a cursor does not move in another epoch, whoever noticed that it began", () => {
  const { log, keep } = scene()
  log.epoch = 2
  expect(keep()).toBeInstanceOf(Doubtful)
  expect(log.written).toBe(0)
})

test("a cursor does not move where the connection may lead to another server", () => {
  const { log, keep } = scene()
  log.isDoubtful = true
  expect(keep()).toBeInstanceOf(Doubtful)
  expect(log.written).toBe(0)
})
