import { randomUUID } from "node:crypto"
import {
  type DurableOptions,
  type DurableSubscription,
  type Engine,
  type Event,
  type HandlerContext
} from "../../src/index.ts"
import { testLog, type TestLog } from "../log/test-log.ts"
import { type Collector, collector, until } from "../support/eventually.ts"

export interface ConsumerLog extends TestLog {
  /** A name for a subscription, and a category whose events are its own, that no other test of the file has. */
  readonly fresh: () => { readonly name: string; readonly categories: ReadonlyArray<string> }
  /** An engine that has a handler for a subscription, as far as its row tells. */
  readonly joined: (name: string) => Promise<string>
  /** Appends numbered events to a stream; returns their positions. */
  readonly emit: (stream: string, ...numbers: ReadonlyArray<number>) => Promise<ReadonlyArray<number>>
}

/** A log of the test file's own, for durable subscriptions. */
export const consumerLog = (): ConsumerLog => {
  const log = testLog()
  let made = 0
  return Object.defineProperties(
    {
      fresh: () => {
        made += 1
        return { name: `consumer-${made}`, categories: [`c${made}`] }
      },
      joined: async (name: string) => {
        const engine = randomUUID()
        await log.db.query(
          "insert into tidemark.subscription_members (subscription, engine) values ($1, $2)",
          [name, engine]
        )
        return engine
      },
      emit: async (stream: string, ...numbers: ReadonlyArray<number>) => {
        const events = numbers.map((n) => ({ type: "Numbered", data: { n } }))
        return (await log.engine.emit(stream, events)).events.map(({ position }) => position)
      }
    },
    Object.getOwnPropertyDescriptors(log)
  ) as unknown as ConsumerLog
}

export const numberOf = (event: Event): number => (event.data as { readonly n: number }).n

/** What a handler was given: the stream's id and the number of the event, as `a3`. */
export const word = (event: Event): string =>
  `${event.stream.slice(event.stream.indexOf("-") + 1)}${numberOf(event)}`

/** A handler that notes the words of its events. */
export const noting = (): Collector<string> & { readonly handler: (event: Event) => void } => {
  const words = collector<string>()
  return { ...words, items: words.items, handler: (event) => words.push(word(event)) }
}

/** A handler that fails as often as `failing` says so, and notes every call. */
export const failingOn = (failing: (word: string, context: HandlerContext) => boolean) => {
  const calls = collector<string>()
  const handler = (event: Event, context: HandlerContext): void => {
    const failed = failing(word(event), context)
    calls.push(failed ? `${word(event)}!` : word(event))
    if (failed) throw new Error(`no ${word(event)}, attempt ${context.attempt}`)
  }
  return { calls, handler }
}

/** Waits until a subscription has nothing left to do: it has passed everything, and nothing is retried or waits. */
export const isThrough = (engine: Engine, name: string, position: number) =>
  until(
    async () => {
      const { partitions, held } = await engine.subscription(name).status()
      return partitions.every((one) => one.position >= position) && held.retrying + held.waiting === 0
    },
    { what: `${name} to have passed ${position}` }
  )

/** Retries that do not keep a test waiting. */
export const SOON = { firstMs: 1, longestMs: 5 }

export type Options = DurableOptions

export const sizes = (members: ReadonlyArray<DurableSubscription>) =>
  members.map((member) => member.partitions().length)

/** Each member owns so many partitions. */
export const own = (members: ReadonlyArray<DurableSubscription>, wanted: ReadonlyArray<number>) =>
  until(() => JSON.stringify(sizes(members)) === JSON.stringify(wanted), {
    what: `members to own ${wanted.join(", ")}`,
    within: 30_000
  })
