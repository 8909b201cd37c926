import { Cause, Effect, Schema } from "effect"
import fc from "fast-check"
import { pino } from "pino"
import { describe, expect, test } from "vitest"
import { loggerLayer } from "../../src/engine/logger.ts"
import { redactedText } from "../../src/engine/redaction.ts"
import { LogError, VersionConflict } from "../../src/log/error.ts"
import { startWorker } from "../support/process.ts"

type Line = Readonly<Record<string, unknown>>

/** What a pino writes while an effect logs to it. */
const logged = async (effect: Effect.Effect<unknown>, level = "trace"): Promise<ReadonlyArray<Line>> => {
  const lines: Array<Line> = []
  const logger = pino(
    { level, base: null, timestamp: false },
    { write: (line) => lines.push(JSON.parse(line)) }
  )
  await Effect.runPromise(Effect.provide(effect, loggerLayer(logger)))
  return lines
}

describe("the engine's log", () => {
  test("goes to the pino given, by level", async () => {
    const lines = await logged(
      Effect.all([
        Effect.logTrace("a"),
        Effect.logDebug("b"),
        Effect.logInfo("c"),
        Effect.logWarning("d"),
        Effect.logError("e"),
        Effect.logFatal("f")
      ])
    )
    expect(lines).toEqual([
      { level: 10, msg: "a" },
      { level: 20, msg: "b" },
      { level: 30, msg: "c" },
      { level: 40, msg: "d" },
      { level: 50, msg: "e" },
      { level: 60, msg: "f" }
    ])
  })

  test("is filtered by pino's level, which may change at any time", async () => {
    const lines: Array<Line> = []
    const logger = pino({ level: "error" }, { write: (line) => lines.push(JSON.parse(line)) })
    const program = Effect.gen(function* () {
      yield* Effect.logWarning("before")
      logger.level = "debug"
      yield* Effect.logDebug("after")
    })
    await Effect.runPromise(Effect.provide(program, loggerLayer(logger)))
    expect(lines.map((line) => line["msg"])).toEqual(["after"])
  })

  test("is nowhere where the logger is false", async () => {
    const console = globalThis.console.log
    const written: Array<unknown> = []
    globalThis.console.log = (...parts) => void written.push(parts)
    try {
      await Effect.runPromise(Effect.provide(Effect.logFatal("nobody hears"), loggerLayer(false)))
    } finally {
      globalThis.console.log = console
    }
    expect(written).toEqual([])
  })

  test("is warnings and errors as JSON lines on standard error where nobody chose a logger", async () => {
    await using worker = startWorker<string>("default-logger")
    await worker.says(1)
    await worker.exited
    const lines = worker.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line)
    expect(lines).toMatchObject([
      { level: 40, name: "tidemark", msg: "the first", number: 1 },
      { level: 50, name: "tidemark", msg: "the second", err: { message: "at postgres://me:[redacted]@db/x" } }
    ])
  })

  test("takes annotations along, and the fields of what is logged", async () => {
    const lines = await logged(
      Effect.logInfo("migrated", "twice", { applied: [1, 2] }, 7, ["x"]).pipe(
        Effect.annotateLogs({ schema: "tidemark", nested: { at: 1n } })
      )
    )
    expect(lines).toEqual([
      {
        level: 30,
        msg: 'migrated twice 7 ["x"]',
        applied: [1, 2],
        schema: "tidemark",
        nested: { at: "1" }
      }
    ])
  })

  test("takes the cause along, with the name of its reason and what led to it", async () => {
    const reason = new VersionConflict({ stream: "note-1", expected: 1, actual: 2 })
    const cause = Cause.fail(new LogError({ reason }))
    const lines = await logged(Effect.logError("could not append", cause))
    expect(lines).toMatchObject([
      { msg: "could not append", err: { type: "VersionConflict", message: reason.message } }
    ])
    expect(lines[0]!["err"]).toHaveProperty("stack", expect.stringContaining("logger.test.ts"))

    const led = new Error("outer", { cause: new TypeError("inner") })
    const [line] = await logged(Effect.logError(led))
    expect(line).toMatchObject({
      err: { type: "Error", message: "outer: inner", stack: expect.stringContaining("caused by: TypeError") }
    })
  })

  test("takes every error of a cause along", async () => {
    const cause = Cause.combine(Cause.fail(new Error("one")), Cause.die(new Error("two")))
    const [line] = await logged(Effect.logError(cause))
    expect(line).toMatchObject({ err: { message: "one", aggregateErrors: [{ message: "two" }] } })
  })

  test("leaves an error's own fields out, except for its code", async () => {
    const error = Object.assign(new Error("duplicate key"), { code: "23505", detail: "Key (name)=(Ada)" })
    const [line] = await logged(Effect.logError(error))
    expect(line).toMatchObject({ err: { message: "duplicate key", code: "23505" } })
    expect(JSON.stringify(line)).not.toContain("Ada")
  })

  test("takes a cycle, a function and a buffer without harm", async () => {
    const ring: Record<string, unknown> = { made: () => 1, bytes: new Uint8Array(9000) }
    ring["again"] = ring
    const [line] = await logged(Effect.logInfo("round", ring))
    expect(line).toMatchObject({ msg: "round", bytes: "9000 bytes" })
  })
})

describe("a secret", () => {
  class Refused extends Schema.TaggedError<Refused>()("Refused", { url: Schema.String }) {
    override get message(): string {
      return `refused by ${this.url}`
    }
  }

  const url = "postgres://me:hunter2@db:5432/x?sslmode=require"

  test.each([
    ["in the message", Effect.logWarning(`connecting to ${url}`)],
    ["in a list", Effect.logWarning([url])],
    ["in a field", Effect.logWarning("x", { target: url })],
    ["in a nested field", Effect.logWarning("x", { to: [{ deep: { url } }] })],
    ["in an annotation", Effect.annotateLogs(Effect.logWarning("x"), "url", url)],
    ["by the name of a field", Effect.logWarning("x", { connection: { password: "hunter2" } })],
    ["by the name of an annotation", Effect.annotateLogs(Effect.logWarning("x"), "PGPASSWORD", "hunter2")],
    ["in settings of keywords", Effect.logWarning("host=db password=hunter2 user=me")],
    ["in quoted settings", Effect.logWarning("password = 'hun\\'ter2 hunter2' user=me")],
    ["in the query of a URL", Effect.logWarning("postgres://db/x?user=me&password=hunter2&sslmode=disable")],
    ["in JSON", Effect.logWarning('{"user":"me","password":"hunter2"}')],
    ["in an error", Effect.logError(new Error(`no route to ${url}`))],
    ["in what led to an error", Effect.logError(new Error("failed", { cause: new Error(url) }))],
    ["in a cause", Effect.logError("x", Cause.fail(new Refused({ url })))],
    ["in a defect", Effect.logError("x", Cause.die(`lost ${url}`))]
  ])("%s is not logged", async (_, effect) => {
    const lines = await logged(effect)
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines)).not.toContain("hunter2")
    expect(JSON.stringify(lines)).toContain("[redacted]")
  })

  test("is taken out of a URL whatever it holds, and the rest of the URL stays", () => {
    const password = fc.stringMatching(/^[!#-&(-_a-~]{1,40}$/)
    const name = fc.stringMatching(/^[a-z0-9.]{1,20}$/)
    fc.assert(
      fc.property(name, password, name, (user, secret, host) => {
        const text = `cannot reach postgresql://${user}:${secret}@${host}:5432/db: timeout`
        expect(redactedText(text)).toBe(
          `cannot reach postgresql://${user}:[redacted]@${host}:5432/db: timeout`
        )
      })
    )
  })

  test("that was taken out stays as it is when the text is looked at again", () => {
    const once = redactedText(`${url} password=hunter2`)
    expect(redactedText(once)).toBe(once)
  })

  test("is not seen in what only talks of passwords", () => {
    const text = 'password authentication failed for user "me" at http://localhost:8080/a'
    expect(redactedText(text)).toBe(text)
  })
})
