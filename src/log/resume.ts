import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { decodeToken, encodeToken } from "../base/token.ts"
import { InvalidArgument, type LogError, logError, LogRewound, Unavailable } from "./error.ts"
import type { Feed } from "./feed.ts"
import type { Filter } from "./filter.ts"
import type { LogIdentity } from "./identity.ts"
import { keptAfter, tooOld } from "./retention.ts"

/** How long a standby is waited for that has not replayed the log up to a position, in ms, and how often it is looked at. */
export const STANDBY_PATIENCE_MS = 5_000
const STANDBY_LOOK_MS = 50

/** Where to read from: the beginning, what comes from now on, after a position, or after the point that a token names. */
export type From = "start" | "now" | number | string

interface PointRow {
  readonly head: string
  readonly safe_up_to: string | null
  readonly standby: boolean
}

/** Turns what a caller resumes from into a position of this log. */
export class Resume {
  private readonly postgres: Postgres["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly feed: Feed["Service"]

  constructor(postgres: Postgres["Service"], identity: LogIdentity["Service"], feed: Feed["Service"]) {
    this.postgres = postgres
    this.identity = identity
    this.feed = feed
  }

  /**
   * Fails with LogRewound where the position is not of this log any more, InvalidArgument where it is none, Unavailable where a standby has
   * not replayed the log up to it in 5 s, and TokenTooOld where retention has dropped what a filter may want after it. `start` is what is left.
   */
  position(from: From, filter?: Filter): Effect.Effect<number, LogError | PostgresError> {
    const position = this.known(from)
    if (filter === undefined || from === "start" || from === "now" || from === 0) return position
    return Effect.tap(position, (after) => this.kept(after, filter))
  }

  /** Up to where retention has dropped telemetry that a filter may want. */
  dropped(filter: Filter): Effect.Effect<number, PostgresError> {
    return keptAfter(this.postgres, this.postgres.schema, filter)
  }

  /** Fails with TokenTooOld where retention has dropped what a filter may want after a position. */
  kept(after: number, filter: Filter): Effect.Effect<void, LogError | PostgresError> {
    const { id: log, epoch } = this.identity.current()
    const tokenAt = (oldest: number): string => encodeToken({ log, epoch, position: oldest })
    return Effect.flatMap(tooOld(this.postgres, after, filter, tokenAt), (old) =>
      old === undefined ? Effect.void : Effect.fail(logError(old))
    )
  }

  private known(from: From): Effect.Effect<number, LogError | PostgresError> {
    if (from === "start" || from === 0) return Effect.succeed(0)
    if (from === "now") return this.feed.settled
    if (typeof from === "string") return this.ofToken(from)
    if (!Number.isSafeInteger(from) || from < 0) {
      return Effect.fail(
        logError(new InvalidArgument({ problem: `${from} is no position: give a whole number from 0` }))
      )
    }
    return checkPosition(this.postgres, from, this.identity.current().epoch)
  }

  private ofToken(token: string): Effect.Effect<number, LogError | PostgresError> {
    const point = decodeToken(token)
    if (point === undefined) {
      return Effect.fail(
        logError(
          new InvalidArgument({
            problem: `${JSON.stringify(token)} is no token, nor a position: give one that an emit or a read returned`
          })
        )
      )
    }
    if (point.log !== this.identity.current().id) {
      const detail = `its token is of the log ${point.log}, this is ${this.identity.current().id}`
      return Effect.fail(logError(new LogRewound({ position: point.position, head: 0, detail })))
    }
    const check = checkPosition(this.postgres, point.position, point.epoch)
    if (point.epoch <= this.identity.current().epoch) return check
    // Another process may have noticed a fail-over before this one.
    return Effect.andThen(
      Effect.ignore(this.identity.refresh),
      Effect.suspend(() => {
        const { epoch, standby } = this.identity.current()
        if (standby || point.epoch <= epoch) return check
        const detail = `its token is of epoch ${point.epoch}, and this log is in epoch ${epoch}: it was restored from before`
        return Effect.fail(logError(new LogRewound({ position: point.position, head: 0, detail })))
      })
    )
  }
}

/** The standby has not replayed the log up to the position: nothing says that it will not. */
export class StandbyBehind {
  readonly head: number

  constructor(head: number) {
    this.head = head
  }
}

/** What keeps a position of an epoch from being resumed from; undefined where everything up to it is as it was then. */
export const judgePosition = (
  postgres: Pick<Postgres["Service"], "query" | "schema">,
  position: number,
  epoch: number
): Effect.Effect<LogRewound | StandbyBehind | undefined, PostgresError> => {
  const { text, name } = statement("check_point", postgres.schema)
  return Effect.map(postgres.query<PointRow>(text, [epoch], { name }), ({ rows }) => {
    const { head: headText, safe_up_to, standby } = rows[0]!
    const head = Number(headText)
    const safeUpTo = safe_up_to === null ? Number.POSITIVE_INFINITY : Number(safe_up_to)
    if (position > safeUpTo) {
      const detail = `it is of epoch ${epoch}, and only positions up to ${safeUpTo} outlived that`
      return new LogRewound({ position, head, detail })
    }
    if (position <= head) return undefined
    if (standby) return new StandbyBehind(head)
    return new LogRewound({ position, head, detail: "it lies beyond the head" })
  })
}

/** The position itself, where everything up to it is as it was in that epoch; else fails with LogRewound, or Unavailable. */
export const checkPosition = (
  postgres: Pick<Postgres["Service"], "query" | "schema">,
  position: number,
  epoch: number,
  patienceMs: number = STANDBY_PATIENCE_MS
): Effect.Effect<number, LogError | PostgresError> =>
  Effect.suspend(() => {
    const deadline = Date.now() + patienceMs
    const look: Effect.Effect<number, LogError | PostgresError> = Effect.flatMap(
      judgePosition(postgres, position, epoch),
      (verdict) => {
        if (verdict === undefined) return Effect.succeed(position)
        if (verdict instanceof LogRewound) return Effect.fail(logError(verdict))
        if (Date.now() < deadline) return Effect.andThen(Effect.sleep(STANDBY_LOOK_MS), look)
        return Effect.fail(logError(behind(position, verdict.head, patienceMs)))
      }
    )
    return look
  })

const behind = (position: number, head: number, waitedMs: number): Unavailable =>
  new Unavailable({
    detail: `this standby has replayed the log up to ${head}, and did not reach position ${position} in ${waitedMs} ms`
  })
