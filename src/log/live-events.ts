import { Effect, Queue, Stream } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { LogError, UpcastFailed } from "./error.ts"
import type { Event } from "./event.ts"
import type { EventLog, SubscribeOptions } from "./event-log.ts"
import type { HandlerFailed } from "./subscription.ts"

/** How many events are read ahead of who consumes them. */
const READ_AHEAD = 256

/** A subscription as a stream. It reads ahead a little and then waits for its consumer; ending the stream ends it. */
export const liveEvents = (
  log: EventLog["Service"],
  options: SubscribeOptions
): Stream.Stream<Event, LogError | PostgresError | HandlerFailed | UpcastFailed> =>
  Stream.callback(
    (queue) =>
      Effect.gen(function* () {
        const run = Effect.runPromiseWith(yield* Effect.context<never>())
        const subscription = yield* log.subscribe(options, (event) =>
          Queue.offerUnsafe(queue, event) ? undefined : run(Queue.offer(queue, event))
        )
        // Before the subscription is stopped, which waits for its handler, which may wait for room in the queue.
        yield* Effect.addFinalizer(() => Queue.shutdown(queue))
        yield* Effect.tryPromise({
          try: () => subscription.done,
          catch: (failure) => failure as HandlerFailed | UpcastFailed
        })
        yield* Queue.end(queue)
      }),
    { bufferSize: READ_AHEAD, strategy: "suspend" }
  )
