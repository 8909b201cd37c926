import fc from "fast-check"
import {
  DuplicateEvent,
  type Engine,
  type Event,
  type ExpectedVersion,
  VersionConflict
} from "../../../src/index.ts"
import type { Answer, Append, ModelEvent, ModelPart } from "./model.ts"

/** What a program says of one append; its names and ids are made its own for each run. */
export interface Step {
  readonly parts: ReadonlyArray<{
    readonly stream: number
    readonly events: ReadonlyArray<{ readonly id: number; readonly lies: boolean }>
    readonly expected: ExpectedVersion
  }>
}

const streams = 3
const ids = 12

const expected: fc.Arbitrary<ExpectedVersion> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<ExpectedVersion>("any") },
  { weight: 1, arbitrary: fc.constantFrom<ExpectedVersion>("none", "exists") },
  { weight: 2, arbitrary: fc.nat(8) }
)

const event = fc.record({
  id: fc.oneof(
    { weight: 1, arbitrary: fc.nat(ids - 1) },
    { weight: 2, arbitrary: fc.integer({ min: ids, max: 10_000 }) }
  ),
  lies: fc.integer({ min: 1, max: 12 }).map((n) => n === 1)
})

const part = (stream: number) =>
  fc.record({
    stream: fc.constant(stream),
    events: fc.array(event, { minLength: 1, maxLength: 4 }),
    expected
  })

const fresh: fc.Arbitrary<Step> = fc
  .oneof(
    { weight: 4, arbitrary: fc.nat(streams - 1).map((stream) => [stream]) },
    { weight: 1, arbitrary: fc.uniqueArray(fc.nat(streams - 1), { minLength: 2, maxLength: streams }) }
  )
  .chain((chosen) => fc.tuple(...chosen.map(part)))
  .map((parts) => ({ parts }))

/** Some steps send an earlier one again. */
export const program = (maxLength: number): fc.Arbitrary<ReadonlyArray<Step>> =>
  fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: fresh.map((step) => ({ step })) },
        { weight: 1, arbitrary: fc.nat(20).map((again) => ({ again })) }
      ),
      {
        minLength: 1,
        maxLength
      }
    )
    .map((steps) => {
      const done: Array<Step> = []
      for (const one of steps) {
        const earlier = "again" in one ? done[one.again % Math.max(1, done.length)] : one.step
        if (earlier !== undefined) done.push(earlier)
      }
      return done
    })

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, "0")

/** A step as an append of the run with this number. */
export const appendOf = (step: Step, run: number): Append =>
  step.parts.map(({ stream, events, expected: expects }): ModelPart => ({
    stream: `model-${run}-${stream}`,
    expected: expects,
    events: events.map(({ id, lies }): ModelEvent => ({
      id: `00000000-0000-7000-8000-${hex(run, 6)}${hex(id, 6)}`,
      type: `T${id % 3}`,
      n: lies ? -1 : id
    }))
  }))

/** Sends an append to an engine and says what came of it in the words of the model. */
export const send = async (
  engine: Engine,
  append: Append
): Promise<Answer & { readonly positions?: ReadonlyArray<number> }> => {
  try {
    const appended = await engine.emitAll(
      append.map(({ stream, events, expected: expects }) => ({
        stream,
        expected: expects,
        events: events.map(({ id, type, n }) => ({ id, type, data: { n } }))
      }))
    )
    return {
      tag: "appended",
      versions: appended.map(({ events }) => events.map(({ version }) => version)),
      positions: appended.flatMap(({ events }) => events.map(({ position }) => position))
    }
  } catch (error) {
    if (error instanceof VersionConflict)
      return { tag: "conflict", stream: error.stream, actual: error.actual }
    if (error instanceof DuplicateEvent) return { tag: "duplicate" }
    throw error
  }
}

export const inWords = ({ id, stream, version, type, data }: Event): string =>
  JSON.stringify([stream, version, id, type, (data as { n: number }).n])
