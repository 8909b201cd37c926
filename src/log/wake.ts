import { Context, Effect, FiberHandle, Layer, Schedule, type Scope } from "effect"
import { randomBytes } from "node:crypto"
import type { ClientConfig } from "pg"
import { listen } from "../postgres/listen.ts"
import { type Notifier, notifier } from "../postgres/notifier.ts"
import { LogIdentity } from "./identity.ts"

/** How often a reader looks by itself while NOTIFY is known to arrive, in ms. */
const POLL_WHILE_HEARING_MS = 5_000

/** How often a reader looks by itself while it hears nothing, in ms. */
const POLL_WHILE_DEAF_MS = 250

/** How long a NOTIFY of our own may take to come back, in ms. */
const ECHO_MS = 3_000

/** After a reconnect, how long until the log is asked again who it is where it could not say, in ms. */
const RECOGNISE_RETRY_MS = 200

const DID_NOT_COME_BACK =
  "a NOTIFY of our own did not come back, as behind a pooler in transaction mode; give the server's own address as wake to be woken"

const POSITION = /^[0-9]{1,16}$/
const ECHO = "echo-"
const ID_BYTES = 8
const FLEET = "fleet"

export interface WakeConfig {
  /** Where LISTEN and NOTIFY happen: one agreed server, reached without a pooler. */
  readonly connection: ClientConfig
  /** A pooler is known to be in between. */
  readonly isPooled?: () => boolean
}

/** Why an engine polls that has only begun. */
export const NOT_YET = "LISTEN is not in force yet"

export interface WakeStatus {
  /** `listening`: a NOTIFY of our own came back; `polling`: none does, and readers look by themselves. */
  readonly mode: "listening" | "polling"
  readonly reason: string
}

/** Wakes the readers of a log: NOTIFY is a hint that makes them faster, a timer makes them sure. */
export class Wake extends Context.Service<
  Wake,
  {
    /** Something was appended, up to this position: tells the other processes. */
    readonly touch: (position: number) => void
    /** Calls back when there may be something to read, with the position it may reach where that is known. */
    readonly onWake: (listener: (position: number | undefined) => void) => void
    /** Work changed hands: tells the other processes. */
    readonly tellFleet: Effect.Effect<void>
    /** Calls back when another process says so. */
    readonly onFleet: (listener: () => void) => void
    /** How long a reader may wait for a wake-up before it looks by itself, in ms. */
    readonly pollMs: () => number
    readonly status: () => WakeStatus
  }
>()("tidemark/log/Wake") {
  static readonly layer = (config: WakeConfig): Layer.Layer<Wake, never, LogIdentity> =>
    Layer.effect(Wake, makeWake(config))
}

const randomId = (): string => randomBytes(ID_BYTES).toString("hex")

const makeWake = Effect.fnUntraced(function* (
  config: WakeConfig
): Effect.fn.Return<Wake["Service"], never, LogIdentity | Scope.Scope> {
  const identity = yield* LogIdentity
  const { channel } = identity.current()
  const sender: Notifier = yield* notifier(config.connection, channel)
  const listeners: Array<(position: number | undefined) => void> = []
  const fleetListeners: Array<() => void> = []
  // What becomes of one LISTEN says nothing about the next, so a proof ends where its connection does.
  const run = yield* FiberHandle.makeRuntime<never, never, void>()
  let status: WakeStatus = { mode: "polling", reason: NOT_YET }
  let awaited: { readonly echo: string; readonly heard: () => void } | undefined
  let tried: string | undefined
  let warned = false

  const wake = (position: number | undefined): void => {
    for (const listener of listeners) listener(position)
  }

  const deaf = (reason: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      status = { mode: "polling", reason }
      // A reader that trusted to be woken goes over to looking often.
      wake(undefined)
      if (warned) return Effect.void
      warned = true
      return Effect.logWarning(
        `NOTIFY does not arrive: ${reason}. Readers look every ${POLL_WHILE_DEAF_MS} ms instead; nothing is lost.`
      )
    })

  /**
   * A pooler in between may take LISTEN without a word and never deliver: the session that listens then hears every NOTIFY for
   * whoever comes next, and PgBouncer logs each. So there a channel is listened to first that nobody else uses.
   */
  const trial = (): string | undefined => {
    tried = config.isPooled?.() === true ? `${channel}_${randomId()}` : undefined
    return tried
  }

  /** Only a NOTIFY that comes back proves the path. */
  const proveEcho = Effect.fnUntraced(function* (listenTo: (channel: string) => Promise<void>) {
    const echo = ECHO + randomId()
    const came = Effect.callback<void>((resume) => {
      awaited = { echo, heard: () => resume(Effect.void) }
    })
    const sent = Effect.andThen(sender.send(echo, tried), Effect.never)
    const heard = yield* Effect.timeoutOption(Effect.raceFirst(came, sent), ECHO_MS)
    awaited = undefined
    if (heard._tag === "None") {
      return yield* deaf(DID_NOT_COME_BACK)
    }
    if (tried !== undefined) {
      const isInEarnest = yield* Effect.isSuccess(Effect.tryPromise(() => listenTo(channel)))
      // Its connection was lost, which is told apart.
      if (!isInEarnest) return
      wake(undefined)
    }
    warned = false
    status = { mode: "listening", reason: "a NOTIFY of our own came back" }
  })

  yield* listen({
    connection: config.connection,
    channel,
    trial,
    onPayload: (payload) => {
      if (POSITION.test(payload)) {
        sender.heard(Number(payload))
        wake(Number(payload))
      } else if (payload === awaited?.echo) awaited.heard()
      else if (payload === FLEET) for (const listener of fleetListeners) listener()
    },
    onListening: (listenTo) => {
      // Whoever answers now may be another server than before, and idle connections are replaced without a word.
      const recognise = identity.refresh.pipe(
        Effect.retry({
          while: (error) => error._tag === "PostgresError",
          schedule: Schedule.spaced(RECOGNISE_RETRY_MS)
        }),
        Effect.ignore,
        Effect.ensuring(Effect.sync(() => wake(undefined)))
      )
      run(Effect.all([recognise, proveEcho(listenTo)], { concurrency: "unbounded", discard: true }))
    },
    onLost: (why) => {
      run(deaf(why))
    }
  })

  return Wake.of({
    touch: (position) => sender.touch(position),
    onWake: (listener) => listeners.push(listener),
    tellFleet: Effect.asVoid(sender.send(FLEET)),
    onFleet: (listener) => fleetListeners.push(listener),
    pollMs: () => (status.mode === "listening" ? POLL_WHILE_HEARING_MS : POLL_WHILE_DEAF_MS),
    status: () => status
  })
})
