import { Effect, Exit } from "effect"
import { afterEach, expect, it, vi } from "vitest"
import {
  ConnectionLost,
  LockTimeout,
  PostgresError,
  Rejected,
  ReplicaBehind,
  Unreachable
} from "../../../src/postgres/error.ts"
import type { Build, RebuildParts } from "../../../src/projection/rebuild/build.ts"
import { throughLosses, whileAway } from "../../../src/projection/rebuild/losses.ts"

/** How long a try takes in these tests, in ms; a rebuild waits for 60 s without getting any further. */
const TRY_MS = 20_000

const away = new PostgresError({ reason: new Unreachable({ detail: "nobody is there" }) })
const behind = new PostgresError({ reason: new ReplicaBehind({ detail: "not there yet" }) })
const lost = new PostgresError({ reason: new ConnectionLost({ detail: "it is gone" }) })
const locked = new PostgresError({
  reason: new LockTimeout({ detail: "canceling statement due to lock timeout" })
})
const refused = new PostgresError({ reason: new Rejected({ detail: "no" }) })

afterEach(() => vi.restoreAllMocks())

/** Tries that fail as said, until one does not; returns how many there were, and what came of it. */
const tried = async (
  failureOf: (tries: number) => PostgresError | undefined,
  reached: () => number,
  tryMs = TRY_MS
) => {
  let now = 0
  vi.spyOn(performance, "now").mockImplementation(() => now)
  let tries = 0
  const work = Effect.suspend(() => {
    tries += 1
    now += tryMs
    const failure = failureOf(tries)
    return failure === undefined ? Effect.void : Effect.fail(failure)
  })
  const exit = await Effect.runPromise(Effect.exit(whileAway(work, Effect.void, reached)))
  return { tries, isDone: Exit.isSuccess(exit) }
}

it("a rebuild whose server stays away gives up after a minute", async () => {
  expect(
    await tried(
      () => away,
      () => 0
    )
  ).toEqual({ tries: 4, isDone: false })
})

it("a rebuild that gets further after every loss goes on for as long as it takes", async () => {
  let reached = 0
  const outcome = await tried(
    (tries) => (tries < 8 ? away : undefined),
    () => (reached += 1)
  )
  expect(outcome).toEqual({ tries: 8, isDone: true })
})

it("a rebuild that is lost now and then in a step that takes long goes on, though nothing tells how far that is", async () => {
  const outcome = await tried(
    (tries) => (tries < 8 ? away : undefined),
    () => 0,
    70_000
  )
  expect(outcome).toEqual({ tries: 8, isDone: true })
})

it("a rebuild waits for a replica that lags", async () => {
  expect(
    await tried(
      (tries) => (tries === 1 ? behind : undefined),
      () => 0
    )
  ).toEqual({ tries: 2, isDone: true })
})

it("a rebuild that is refused something does not try that again", async () => {
  expect(
    await tried(
      () => refused,
      () => 0
    )
  ).toEqual({ tries: 1, isDone: false })
})

it("a rebuild for which the server goes on with what was lost says so, and not that another is in the way", async () => {
  let now = 0
  vi.spyOn(performance, "now").mockImplementation(() => now)
  const recover = Effect.suspend(() => {
    now += TRY_MS
    return Effect.fail(locked)
  })
  const build = { name: "stuck", extent: 0, recover } as unknown as Build
  const failure = await Effect.runPromise(
    Effect.flip(throughLosses({} as RebuildParts, build, "1", Effect.fail(lost)))
  )
  expect(failure).toMatchObject({
    reason: { _tag: "LockTimeout", detail: expect.stringContaining("a statement of this rebuild") }
  })
})
