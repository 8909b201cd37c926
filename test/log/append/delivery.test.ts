import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { AppendCall, BATCH_PATIENCE_MS } from "../../../src/log/append-call.ts"
import type { Outcome } from "../../../src/log/batch.ts"
import { Delivery, type Waiting } from "../../../src/log/delivery.ts"
import type { Request } from "../../../src/log/request.ts"
import { ConnectionError, TlsRefused } from "../../../src/postgres/connection-error.ts"
import { PostgresError, postgresError } from "../../../src/postgres/error.ts"

// What becomes of a batch when the server, or the connection to it, fails in one way or another: rules A4, A6 and A8.

const request = (stream: string): Request => ({
  events: 1,
  bytes: 1,
  ownIds: false,
  parts: [
    {
      stream,
      expected: "any",
      rows: [
        { id: `id-of-${stream}`, stream, type: "T", data: "{}", labels: [], meta: "{}", schemaVersion: 1 }
      ]
    }
  ]
})

const sqlError = (code: string) => postgresError({ code, message: `as ${code}` }, true)
const lost = postgresError({ code: "ECONNRESET", message: "reset" }, true)
const unreachable = postgresError({ code: "ECONNREFUSED", message: "refused" }, false)

interface Play {
  /** Answers one call for these streams: an error, or undefined for success. */
  readonly answer: (streams: ReadonlyArray<string>, nth: number) => PostgresError | "defect" | undefined
  readonly free?: Readonly<Record<string, boolean>>
  readonly deadlineMs?: number
}

const play = async (streams: ReadonlyArray<string>, { answer, free = {}, deadlineMs = 60_000 }: Play) => {
  const calls: Array<string> = []
  const apart: Array<string> = []
  const outcomes: Record<string, Outcome> = {}
  const call = {
    append: (requests: ReadonlyArray<Request>) => {
      const names = requests.map(({ parts }) => parts[0]!.stream)
      calls.push(names.join(""))
      const failure = answer(names, calls.length)
      if (failure === "defect") throw new RangeError("nobody foresaw it")
      return failure === undefined ? Effect.succeed(names.map(() => [])) : Effect.fail(failure)
    },
    freeHeads: () => Effect.succeed(new Map(Object.entries(free))),
    refusal: AppendCall.prototype.refusal
  }
  const delivery = new Delivery({
    call: call as unknown as AppendCall,
    ready: Effect.void,
    settle: ({ request: { parts } }, outcome) => {
      expect(outcomes).not.toHaveProperty([parts[0]!.stream])
      outcomes[parts[0]!.stream] = outcome
    },
    waitApart: (waiting) => void apart.push(waiting.map((one) => one.request.parts[0]!.stream).join("")),
    isPending: ({ request: { parts } }) => !(parts[0]!.stream in outcomes),
    closing: () => false
  })
  const batch = streams.map((stream): Waiting => ({
    request: request(stream),
    deadline: Date.now() + deadlineMs,
    uncertain: false,
    settle: () => {}
  }))
  await Effect.runPromise(delivery.deliver(batch))
  const said = Object.fromEntries(
    Object.entries(outcomes).map(([stream, outcome]) => [
      stream,
      "_tag" in outcome ? outcome._tag : "appended"
    ])
  )
  return { calls, apart, said, outcomes }
}

const all = ["a", "b", "c", "d"]
const appended = { a: "appended", b: "appended", c: "appended", d: "appended" }

describe("a batch", () => {
  test("is settled by one call where nothing fails", async () => {
    expect(await play(all, { answer: () => undefined })).toMatchObject({ calls: ["abcd"], said: appended })
  })

  test.each(["40P01", "40001"])(
    "in somebody's way (%s) is sent again as it is, and then by halves",
    async (code) => {
      const { calls, said } = await play(all, {
        answer: (streams) => (streams.includes("c") && streams.length > 1 ? sqlError(code) : undefined)
      })
      expect(calls).toEqual(["abcd", "abcd", "abcd", "abcd", "ab", "cd", "cd", "cd", "cd", "c", "d"])
      expect(said).toEqual(appended)
    }
  )

  test("with an id that another commits meanwhile is sent again, where the id is found", async () => {
    const { calls, said } = await play(all, {
      answer: (_, nth) => (nth === 1 ? sqlError("23505") : undefined)
    })
    expect(calls).toEqual(["abcd", "abcd"])
    expect(said).toEqual(appended)
  })

  test.each([
    ["23505", "DuplicateEvent"],
    ["22P02", "InvalidEvent"],
    ["22001", "InvalidEvent"],
    ["42501", "AccessDenied"],
    ["23502", "InvalidEvent"],
    ["23514", "InvalidEvent"],
    ["TM006", "Rejected"]
  ])("with one request that the server refuses (%s) fails that one alone, as %s", async (code, tag) => {
    const { said } = await play(all, {
      answer: (streams) => (streams.includes("b") ? sqlError(code) : undefined)
    })
    expect(said).toEqual({ ...appended, b: tag })
  })

  test("with one request that nobody foresaw fails that one alone, as OutcomeUnknown", async () => {
    const { said, outcomes } = await play(all, {
      answer: (streams) => (streams.includes("c") ? "defect" : undefined)
    })
    expect(said).toEqual({ ...appended, c: "OutcomeUnknown" })
    expect(outcomes["c"]).toMatchObject({
      stream: "c",
      ids: ["id-of-c"],
      detail: expect.stringContaining("nobody foresaw")
    })
  })

  test("is sent again where a new connection finds no TLS, as in front of a server that is being replaced", async () => {
    const reason = new TlsRefused({ server: "localhost:5432", sslmode: "require" })
    const refused = postgresError(new ConnectionError({ reason }), false)
    const { calls, said } = await play(all, { answer: (_, nth) => (nth === 1 ? refused : undefined) })
    expect(calls).toEqual(["abcd", "abcd"])
    expect(said).toEqual(appended)
  })

  test.each(["57P03", "53300", "53100", "57014", "25006"])(
    "is sent again while the server cannot take it (%s)",
    async (code) => {
      const { calls, said } = await play(all, { answer: (_, nth) => (nth < 3 ? sqlError(code) : undefined) })
      expect(calls).toEqual(["abcd", "abcd", "abcd"])
      expect(said).toEqual(appended)
    }
  )

  test("whose deadline passes before anything was sent is Unavailable: nothing was done", async () => {
    const { said } = await play(["a"], { answer: () => unreachable, deadlineMs: 100 })
    expect(said).toEqual({ a: "Unavailable" })
  })

  test("whose deadline passes after an answer was lost is OutcomeUnknown, with the ids to send again", async () => {
    const { said, outcomes } = await play(["a"], {
      answer: (_, nth) => (nth === 1 ? lost : unreachable),
      deadlineMs: 100
    })
    expect(said).toEqual({ a: "OutcomeUnknown" })
    expect(outcomes["a"]).toMatchObject({ ids: ["id-of-a"] })
  })
})

describe("a batch that waits too long for a lock", () => {
  const heldBy = (held: string) => (streams: ReadonlyArray<string>) =>
    streams.some((one) => held.includes(one)) ? sqlError("55P03") : undefined

  test("sets the streams that are held apart, and sends the others", async () => {
    const { calls, apart, said } = await play(all, {
      answer: heldBy("b"),
      free: { a: true, b: false, c: true, d: true }
    })
    expect([calls, apart]).toEqual([["abcd", "acd"], ["b"]])
    expect(said).toEqual({ a: "appended", c: "appended", d: "appended" })
  })

  test("keeps requests for one held stream together, in their order", async () => {
    const { apart } = await play(["b", "a", "b"], { answer: heldBy("b"), free: { a: true, b: false } }).catch(
      (error) => error
    )
    expect(apart).toEqual(["bb"])
  })

  test("tries streams that are not there among themselves, until the one in the making is found", async () => {
    const { calls, apart, said } = await play(all, { answer: heldBy("c"), free: { a: true } })
    expect(calls).toEqual(["abcd", "a", "bcd", "bc", "b", "c", "d"])
    expect(apart).toEqual(["c"])
    expect(said).toEqual({ a: "appended", b: "appended", d: "appended" })
  })

  test("with all its streams free is sent again, then by halves, until who waits for something else is set apart", async () => {
    const { calls, apart, said } = await play(all, {
      answer: heldBy("c"),
      free: { a: true, b: true, c: true, d: true }
    })
    expect([calls, apart]).toEqual([["abcd", "abcd", "abcd", "abcd", "ab", "cd", "c", "d"], ["c"]])
    expect(said).toEqual({ a: "appended", b: "appended", d: "appended" })
  })

  test("with all its streams free is Unavailable once its deadline is over", async () => {
    const { said } = await play(["a", "b"], {
      answer: heldBy("ab"),
      free: { a: true, b: true },
      deadlineMs: 30
    })
    expect(said).toEqual({ a: "Unavailable", b: "Unavailable" })
  })

  test("waits no longer for a lock than a batch should", () => {
    expect(BATCH_PATIENCE_MS).toBeLessThanOrEqual(500)
  })
})
