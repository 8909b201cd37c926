import { Effect, Queue, Stream } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { LogError, UpcastFailed } from "./error.ts"
import type { Event } from "./event.ts"
import type { EventLog, SubscribeOptions } from "./event-log.ts"
import { sizeOf } from "./event-size.ts"
import { PAGE_BYTES } from "./page-size.ts"
import type { HandlerFailed } from "./subscription.ts"

/** How much is read ahead of who consumes it, in events and in bytes. */
const READ_AHEAD = 256
const READ_AHEAD_BYTES = PAGE_BYTES

/** What is read ahead, in bytes; whoever adds to it waits while it is too much. */
class Room {
  private bytes = 0
  private whenFree: () => void = () => undefined

  /** Returns what to wait for, where this was too much. */
  add(event: Event): Promise<void> | undefined {
    this.bytes += sizeOf(event)
    if (this.bytes < READ_AHEAD_BYTES) return undefined
    return new Promise((resolve) => {
      this.whenFree = resolve
    })
  }

  remove(events: ReadonlyArray<Event>): void {
    for (const event of events) this.bytes -= sizeOf(event)
    if (this.bytes < READ_AHEAD_BYTES) this.whenFree()
  }

  /** Nobody consumes any more: nobody waits. */
  abandon(): void {
    this.bytes = Number.NEGATIVE_INFINITY
    this.whenFree()
  }
}

/** A subscription as a stream. It reads ahead a little and then waits for its consumer; ending the stream ends it. */
export const liveEvents = (
  log: EventLog["Service"],
  options: SubscribeOptions
): Stream.Stream<Event, LogError | PostgresError | HandlerFailed | UpcastFailed> =>
  Stream.suspend(() => {
    const room = new Room()
    return consumed(room, followed(log, options, room))
  })

const followed = (
  log: EventLog["Service"],
  options: SubscribeOptions,
  room: Room
): Stream.Stream<Event, LogError | PostgresError | HandlerFailed | UpcastFailed> =>
  Stream.callback(
    (queue) =>
      Effect.gen(function* () {
        const run = Effect.runPromiseWith(yield* Effect.context<never>())
        const subscription = yield* log.subscribe(options, (event) => {
          const free = room.add(event)
          const taken = Queue.offerUnsafe(queue, event) ? undefined : run(Queue.offer(queue, event))
          return free === undefined ? taken : Promise.all([free, taken])
        })
        // Before the subscription is stopped, which waits for its handler, which may wait for room in the queue.
        yield* Effect.addFinalizer(() =>
          Effect.andThen(
            Queue.shutdown(queue),
            Effect.sync(() => room.abandon())
          )
        )
        yield* Effect.tryPromise({
          try: () => subscription.done,
          catch: (failure) => failure as HandlerFailed | UpcastFailed
        })
        yield* Queue.end(queue)
      }),
    { bufferSize: READ_AHEAD, strategy: "suspend" }
  )

/** The events of a pull count as read ahead until the next pull, which comes when they are handed on. */
const consumed = <E>(room: Room, events: Stream.Stream<Event, E>): Stream.Stream<Event, E> =>
  Stream.transformPull(events, (pull) => {
    let held: ReadonlyArray<Event> = []
    const next = Effect.suspend(() => {
      room.remove(held)
      held = []
      return Effect.map(pull, (chunk) => {
        held = chunk
        return chunk
      })
    })
    return Effect.succeed(next)
  })
