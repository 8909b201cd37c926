import { AssertionError, deepStrictEqual } from "node:assert"
import type { Event, NewEvent } from "../log/event.ts"
import { recordedEvents } from "./events.ts"

type Decision = NewEvent | ReadonlyArray<NewEvent>

/**
 * What decides: what was there before anything happened, what it is after an event, and what comes of a command. As Jérémie Chassaing's decider:
 * https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider
 */
export interface Decider<State, Command, Decided extends Decision | Promise<Decision>> {
  readonly initial: () => State
  readonly evolve: (state: State, event: Event) => State
  readonly decide: (command: Command, state: State) => Decided
}

/** Where what decides is asynchronous, so is what looks at it. */
type Looked<Decided> = Decided extends Promise<unknown> ? Promise<void> : void

/** A class of errors, or what holds of the error. */
export type Failure = (abstract new (...given: Array<never>) => unknown) | ((error: unknown) => boolean)

/** What a command has come to. Each throws an AssertionError where it came to something else. */
export interface Outcome<Decided> {
  /** These events, in this order; of each only what is given of it is compared, its type and data always. */
  readonly then: (...expected: ReadonlyArray<NewEvent>) => Looked<Decided>
  /** No event. */
  readonly thenNothing: () => Looked<Decided>
  /** An error. */
  readonly thenFails: (failure: Failure) => Looked<Decided>
}

export interface Given<Command, Decided> {
  readonly when: (command: Command) => Outcome<Decided>
}

/** Of a decided event, what the expected one tells of it. */
const comparable = (event: NewEvent, expected: NewEvent | undefined): unknown => {
  const [one] = recordedEvents([event])
  const told = Object.keys(expected ?? event).filter((field) => field !== "occurredAt" && field !== "data")
  return Object.fromEntries(["type", "data", ...told].map((field) => [field, one![field as keyof Event]]))
}

const isClass = (failure: Failure): failure is abstract new (...given: Array<never>) => unknown =>
  (failure as unknown) === Error || failure.prototype instanceof Error

const isSuch = (failure: Failure, error: unknown): boolean =>
  isClass(failure) ? error instanceof failure : (failure as (error: unknown) => boolean)(error)

const listed = (decision: Decision): ReadonlyArray<NewEvent> =>
  Array.isArray(decision) ? (decision as ReadonlyArray<NewEvent>) : [decision as NewEvent]

const same = (decision: Decision, expected: ReadonlyArray<NewEvent>): void => {
  const events = listed(decision)
  deepStrictEqual(
    events.map((event, index) => comparable(event, expected[index])),
    expected.map((event) => comparable(event, event))
  )
}

const failed = (error: unknown, failure: Failure): void => {
  if (isSuch(failure, error)) return
  const wanted = isClass(failure) ? `a ${failure.name}` : "another error"
  throw new AssertionError({
    message: `The command failed as it should not, with ${String(error)}: ${wanted} was expected`,
    actual: error,
    expected: failure
  })
}

const decidedInstead = (decision: Decision): never => {
  const types = listed(decision).map(({ type }) => type)
  const what = types.length === 0 ? "nothing" : types.join(", ")
  throw new AssertionError({ message: `The command should have failed, and decided: ${what}`, actual: types })
}

/**
 * Tests what decides, without a server: `testDecider(account).given(opened, paid).when(command).then(closed)`. Needs no test
 * runner: what differs is thrown as an AssertionError of Node's. Where `decide` returns a promise, so does `then`.
 */
export const testDecider = <State, Command, Decided extends Decision | Promise<Decision>>(
  decider: Decider<State, Command, Decided>
): { readonly given: (...events: ReadonlyArray<NewEvent>) => Given<Command, Decided> } => ({
  given: (...events) => ({
    when: (command) => {
      const state = recordedEvents(events).reduce(decider.evolve, decider.initial())
      const decide = (): Decided => decider.decide(command, state)
      const look = (use: (decision: Decision) => void): Looked<Decided> => {
        const decided = decide()
        return (decided instanceof Promise ? decided.then(use) : use(decided as Decision)) as Looked<Decided>
      }
      return {
        // oxlint-disable-next-line unicorn/no-thenable -- it is what such tests are written in
        then: (...expected) => look((decision) => same(decision, expected)),
        thenNothing: () => look((decision) => same(decision, [])),
        thenFails: (failure) => {
          const fails = (error: unknown): void => failed(error, failure)
          let decided: Decided
          try {
            decided = decide()
          } catch (error) {
            return fails(error) as Looked<Decided>
          }
          return (
            decided instanceof Promise
              ? decided.then(decidedInstead, fails)
              : decidedInstead(decided as Decision)
          ) as Looked<Decided>
        }
      }
    }
  })
})
