import { describe, expect, test } from "vitest"
import type { Event, Handler } from "../../../src/index.ts"
import { collector } from "../../support/eventually.ts"
import { eventsOf, testLog } from "../test-log.ts"

const log = testLog()

/** Handles one event with a handler, and returns it beside what the handler emitted. */
const handled = async (handler: (answers: string) => Handler, meta?: Record<string, unknown>) => {
  const [asks, answers] = [log.stream(), log.stream()]
  const heard = collector<Event>()
  const subscription = await log.engine.subscribe({ streams: [asks] }, async (event) => {
    await handler(answers)(event)
    heard.push(event)
  })
  await log.engine.emit(asks, { type: "Asked" }, meta === undefined ? {} : { meta })
  const [asked] = await heard.reaches(1)
  await subscription.stop()
  return { asked: asked!, answered: await eventsOf(log.engine, answers) }
}

const answer = (stream: string, meta?: Record<string, unknown>) =>
  log.engine.emit(stream, { type: "Answered" }, meta === undefined ? {} : { meta })

describe("an emit inside a handler", () => {
  test("is caused by the event that is handled, and begins to correlate with it", async () => {
    const { asked, answered } = await handled((stream) => () => answer(stream))
    expect(answered[0]!.meta).toEqual({ causationId: asked.id, correlationId: asked.id })
  })

  test("goes on with the correlation of the event", async () => {
    const { asked, answered } = await handled((stream) => () => answer(stream), {
      correlationId: "job-1",
      actor: "x"
    })
    expect(answered[0]!.meta).toEqual({ causationId: asked.id, correlationId: "job-1" })
  })

  test("takes what its caller says instead", async () => {
    const said = { causationId: "mine", correlationId: "ours", reason: "because" }
    const { answered } = await handled((stream) => () => answer(stream, said))
    expect(answered[0]!.meta).toEqual(said)
  })

  test("knows its cause after awaiting something, in emitAll, and in a transaction", async () => {
    const { asked, answered } = await handled((stream) => async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await eventsOf(log.engine, stream)
      await answer(stream)
      await log.engine.emitAll([{ stream, events: { type: "Answered" } }])
      await log.engine.transaction(async (tx) => {
        await tx.query("select 1")
        tx.emit(stream, { type: "Answered" })
      })
    })
    expect(answered).toHaveLength(3)
    for (const { meta } of answered) expect(meta).toEqual({ causationId: asked.id, correlationId: asked.id })
  })

  test("leads on from event to event", async () => {
    const chain = log.stream()
    const heard = collector<Event>()
    const subscription = await log.engine.subscribe({ streams: [chain] }, async (event) => {
      heard.push(event)
      if (event.version < 4) await log.engine.emit(chain, { type: "Next" })
    })
    await log.engine.emit(chain, { type: "First" }, { meta: { correlationId: "c" } })
    const events = await heard.reaches(4)
    await subscription.stop()
    expect(events.map(({ meta }) => meta.correlationId)).toEqual(["c", "c", "c", "c"])
    expect(events.slice(1).map(({ meta }) => meta.causationId)).toEqual(
      events.slice(0, -1).map(({ id }) => id)
    )
  })
})

test("an emit outside a handler, even while one runs, has no cause", async () => {
  const [asks, others] = [log.stream(), log.stream()]
  const running = collector<Event>()
  const subscription = await log.engine.subscribe({ streams: [asks] }, async (event) => {
    running.push(event)
    await log.engine.emit(log.stream(), { type: "Answered" })
  })
  await log.engine.emit(asks, { type: "Asked" })
  await running.reaches(1)
  await log.engine.emit(others, { type: "Other" })
  expect((await eventsOf(log.engine, others))[0]!.meta).toEqual({})
  await subscription.stop()
})
