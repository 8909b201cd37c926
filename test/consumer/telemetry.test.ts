import { expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { TELEMETRY_NAMES } from "../../src/log/telemetry.ts"
import { TelemetryHost, parentOf, idOf } from "../engine/telemetry-host.ts"
import { testDatabase } from "../support/database.ts"
import { deferred } from "../support/eventually.ts"

const db = testDatabase()

const { emitSpan, handleSpan } = TELEMETRY_NAMES

test("a durable subscription's handler goes on with the trace of its event, and so does what it emits in its transaction", async () => {
  await using host = new TelemetryHost()
  await using engine = await open({ database: db.url, logger: false })
  const handled = deferred()
  await engine.subscribe({ name: "traced", types: ["Asked"], transactional: true }, (_, { tx }) => {
    tx.emit("answer-1", { type: "Answered" })
  })
  await engine.subscribe({ types: ["Answered"] }, () => handled.resolve())
  await engine.emit("question-1", { type: "Asked" })
  await handled.promise
  const of = (stream: string) => (span: { readonly attributes: Record<string, unknown> }) =>
    span.attributes[TELEMETRY_NAMES.stream] === stream
  const asked = await host.span(emitSpan, of("question-1"))
  const handling = await host.span(handleSpan, of("question-1"))
  const answered = await host.span(handleSpan, of("answer-1"))
  expect(parentOf(handling)).toBe(idOf(asked))
  expect(parentOf(answered)).toBe(idOf(handling))
})
