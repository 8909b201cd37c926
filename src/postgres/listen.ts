import { Effect, type Scope } from "effect"
import type { ClientConfig } from "pg"
import PgListen from "pg-listen"
import { backoffMs } from "../base/backoff.ts"
import { clause } from "../base/clause.ts"
import { LastWords } from "./last-words.ts"
import { Sockets } from "./sockets.ts"

/** How often the connection is checked while nothing is heard, in ms. */
const CHECK_MS = 10_000

/** How long an answer to that check may take, in ms: a connection into a black hole is noticed by then. */
const ANSWER_MS = 5_000

/** pg-listen counts the first connection as an attempt, so this makes it give a lost one up at once, and tell. */
const NO_RECONNECTS = 1

export interface Listening {
  readonly connection: ClientConfig
  readonly channel: string
  /** Another channel, for a connection of which it is to be found out first whether anything is heard on it. */
  readonly trial?: () => string | undefined
  /** A payload arrived. Any role of the database can send one, so it is a reason to look, never a fact. */
  readonly onPayload: (payload: string) => void
  /**
   * LISTEN is in force, at first and after every reconnect: what happened before may have gone unheard. After a trial, `listenTo`
   * begins in earnest.
   */
  readonly onListening: (listenTo: (channel: string) => Promise<void>) => void
  /** It is not in force, or not any more; why, as a part of a sentence. */
  readonly onLost: (why: string) => void
}

const inWords = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/** One life of a LISTEN connection: ends, with the reason, when it is lost. pg-listen itself tells only that it is. */
const listenOnce = (listening: Listening): Effect.Effect<never, string> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const sockets = new Sockets()
      const lastWords = new LastWords()
      const tracked = sockets.tracked(listening.connection)
      const subscriber = PgListen.default(
        { ...tracked, stream: () => lastWords.of(tracked.stream()), query_timeout: ANSWER_MS },
        { paranoidChecking: CHECK_MS, retryLimit: NO_RECONNECTS, parse: (payload) => payload }
      )
      subscriber.events.on("notification", ({ payload }) => {
        if (typeof payload === "string") listening.onPayload(payload)
      })
      return { subscriber, sockets, lastWords }
    }),
    ({ subscriber, lastWords }) =>
      Effect.callback<never, string>((resume) => {
        let isInForce = false
        const failed = (thrown: unknown): void => {
          const why = clause(lastWords.cause ?? inWords(thrown))
          resume(Effect.fail(`LISTEN could not be made: ${why}`))
        }
        subscriber.events.on("error", (thrown) => {
          if (!isInForce) return failed(thrown)
          const why = clause(lastWords.cause ?? `no answer came within ${ANSWER_MS} ms`)
          resume(Effect.fail(`the connection that listens was lost: ${why}`))
        })
        subscriber
          .connect()
          .then(() => subscriber.listenTo(listening.trial?.() ?? listening.channel))
          .then(() => {
            isInForce = true
            listening.onListening(async (channel) => void (await subscriber.listenTo(channel)))
          }, failed)
      }),
    ({ subscriber, sockets }) => sockets.closeWith(() => subscriber.close())
  )

/**
 * Listens to a channel for as long as the scope is open. pg-listen carries one connection; a lost one is replaced by a new
 * subscriber with backoff, for ever, because pg-listen's own reconnecting gives up, and leaks when it is closed meanwhile.
 */
export const listen = (listening: Listening): Effect.Effect<void, never, Scope.Scope> => {
  let failures = 0
  const heard: Listening = {
    ...listening,
    onListening: (listenTo) => {
      failures = 0
      listening.onListening(listenTo)
    }
  }
  const life = listenOnce(heard).pipe(
    Effect.catch((why) => {
      listening.onLost(why)
      return Effect.sleep(backoffMs(failures++))
    })
  )
  return Effect.asVoid(Effect.forkScoped(Effect.forever(life)))
}
