import { Context, Effect, Layer, Schema } from "effect"
import { PostgresError, ReadOnly } from "../postgres/error.ts"
import { type Connection, Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** The log's sequence hands out numbers in blocks, in leaps or in a circle: order could not be kept. */
export class UnsoundSequence extends Schema.TaggedError<UnsoundSequence>()("UnsoundSequence", {
  schema: Schema.String
}) {
  override get message(): string {
    return `The sequence of log "${this.schema}" is not CACHE 1 INCREMENT 1 NO CYCLE: readers would miss events. Run: alter sequence "${this.schema}".log_position cache 1 increment 1 no cycle.`
  }
}

/** Positions have grown past what a JavaScript number holds exactly. */
export class PositionsExhausted extends Schema.TaggedError<PositionsExhausted>()("PositionsExhausted", {
  schema: Schema.String
}) {
  override get message(): string {
    return `Positions of log "${this.schema}" have passed 2^53: this library cannot tell them apart any more. Continue in a new log.`
  }
}

/** How long a write waits for the log to say who it is, in ms; an answer that does not come fails the write itself. */
const READY_PATIENCE_MS = 1_000

/**
 * How long what the log said is taken for granted behind a pooler, which may lead to another server without a word, in ms: not
 * longer than it takes to put another server in the place of one.
 */
const POOLED_TRUST_MS = 100

const REPLICA = {
  detail: "the server is in recovery, or a logical replica of the log: its events come from another one"
}

/** Of which log, in which of its epochs, a position means what it says. */
export interface Origin {
  readonly id: string
  /** Grows on a restore or a fail-over. */
  readonly epoch: number
}

export const isSameOrigin = (one: Origin, other: Origin): boolean =>
  one.id === other.id && one.epoch === other.epoch

/** Who a log is. */
export interface Identity extends Origin {
  /** The channel its readers listen to. */
  readonly channel: string
  /** The server is a standby: it cannot be written to, and the primary's locks cannot be seen. */
  readonly standby: boolean
}

interface IdentityRow {
  readonly log_id: string
  readonly epoch: number
  readonly channel: string
  readonly sequence_is_sound: boolean
  readonly last_position: string
  readonly standby: boolean
}

/** Why a log could not say who it is, or is not fit to be worked on. */
export type Unrecognised = PostgresError | UnsoundSequence | PositionsExhausted

/** A standby that lags may not know yet of an epoch that is known here already. */
const notForgetting = (known: Identity, found: Identity): Identity =>
  found.standby && found.id === known.id && found.epoch < known.epoch
    ? { ...found, epoch: known.epoch }
    : found

/** The log that the engine works on, checked to be fit for it. */
export class LogIdentity extends Context.Service<
  LogIdentity,
  {
    readonly current: () => Identity
    /** Looks again, after a connection was lost: the server may have been restored or replaced. */
    readonly refresh: Effect.Effect<Identity, Unrecognised>
    /**
     * The server may be another one than the log last said: it was doubted, connections came or went since then, it was a standby, or
     * a pooler is in between and that was a while ago.
     */
    readonly isDoubtful: () => boolean
    readonly doubt: () => void
    /** Looks again only where that is so. */
    readonly sure: Effect.Effect<void, Unrecognised>
    /**
     * Whether this connection leads to the log in the epoch of `origin`; asks on it only where that is doubtful. In a transaction, it
     * then holds for all of it, behind a pooler too.
     */
    readonly isStill: (
      origin: Origin,
      connection: Pick<Connection, "query">
    ) => Effect.Effect<boolean, Unrecognised>
    /**
     * Before a write: what is written on a server that took over must be of its new epoch. Takes a second at most. Fails with
     * ReadOnly where events come from another server: a logical replica would take ours in between.
     */
    readonly ready: Effect.Effect<void, PostgresError>
  }
>()("tidemark/log/LogIdentity") {
  static readonly layer: Layer.Layer<LogIdentity, Unrecognised, Postgres> = Layer.effect(
    LogIdentity,
    Effect.gen(function* () {
      const postgres = yield* Postgres
      const { text } = statement("identify_log", postgres.schema)
      const { schema } = postgres
      const identifyOn = Effect.fnUntraced(function* (connection: Pick<Connection, "query">) {
        const { rows } = yield* connection.query<IdentityRow>(text)
        const row = rows[0]!
        if (!row.sequence_is_sound) return yield* new UnsoundSequence({ schema })
        if (Number(row.last_position) >= Number.MAX_SAFE_INTEGER)
          return yield* new PositionsExhausted({ schema })
        return { id: row.log_id, epoch: row.epoch, channel: row.channel, standby: row.standby }
      })
      let current: Identity = yield* identifyOn(postgres)
      let knownAt = postgres.changes()
      let saidAt = performance.now()
      let doubts = 0
      let settledDoubts = 0
      // A promotion keeps the connections: a standby may have become the primary since it was asked.
      const isDoubtful = (): boolean =>
        current.standby ||
        doubts !== settledDoubts ||
        knownAt !== postgres.changes() ||
        (postgres.isPooled() && performance.now() - saidAt > POOLED_TRUST_MS)
      const doubt = (): void => {
        doubts += 1
      }
      /** Asks the log who it is; `know` takes the answer for what is known from then on. */
      const askOn = (connection: Pick<Connection, "query">) =>
        Effect.suspend(() => {
          const [askedAt, asked, now] = [postgres.changes(), doubts, performance.now()]
          return Effect.map(identifyOn(connection), (identity) => {
            const found = notForgetting(current, identity)
            const know = (): Identity => {
              current = found
              knownAt = askedAt
              saidAt = now
              settledDoubts = asked
              return current
            }
            return { found, know }
          })
        })
      const refresh = Effect.map(askOn(postgres), ({ know }) => know())
      // What a transaction was told of a new epoch may end with it, so that only what was known already is known from then on.
      const isStill = (origin: Origin, connection: Pick<Connection, "query">) =>
        Effect.suspend(() => {
          if (!isDoubtful()) return Effect.succeed(isSameOrigin(current, origin))
          return Effect.map(askOn(connection), ({ found, know }) => {
            if (isSameOrigin(current, found)) know()
            else doubt()
            return isSameOrigin(found, origin)
          })
        })
      const sure = Effect.suspend(() => (isDoubtful() ? Effect.asVoid(refresh) : Effect.void))
      const writable = Effect.suspend(() =>
        current.standby ? Effect.fail(new PostgresError({ reason: new ReadOnly(REPLICA) })) : Effect.void
      )
      const ready = Effect.suspend(() =>
        isDoubtful()
          ? Effect.andThen(Effect.ignore(Effect.timeoutOption(sure, READY_PATIENCE_MS)), writable)
          : writable
      )
      return LogIdentity.of({ current: () => current, refresh, isDoubtful, doubt, sure, isStill, ready })
    })
  )
}
