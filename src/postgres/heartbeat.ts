import { Effect, Semaphore } from "effect"
import type { Connection } from "./postgres.ts"

/**
 * Has a transaction be heard of while nothing else is asked of its connection, every so many ms: then it may have a short idle
 * time-out, which ends it soon where this process stands still, and not where it works at something else meanwhile.
 */
export const whileHeardOf = <A, E, R>(
  connection: Connection,
  everyMs: number,
  use: (connection: Connection) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const asking = Semaphore.makeUnsafe(1)
    const shared: Connection = {
      query: <Row>(...asked: Parameters<Connection["query"]>) =>
        asking.withPermits(1)(connection.query<Row>(...asked))
    }
    // Who asks something is heard of anyway. An interrupted query would cost the connection.
    const beat = Effect.uninterruptible(asking.withPermitsIfAvailable(1)(connection.query("select")))
    // What ends the connection is told to whoever asks next.
    const beating = Effect.ignore(Effect.forever(Effect.andThen(Effect.sleep(everyMs), beat)))
    return Effect.raceFirst(use(shared), Effect.andThen(beating, Effect.never))
  })
