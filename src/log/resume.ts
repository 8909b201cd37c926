import { Effect } from "effect"
import { decodeToken } from "../base/token.ts"
import type { PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { InvalidArgument, type LogError, logError, LogRewound } from "./error.ts"
import type { Feed } from "./feed.ts"
import type { LogIdentity } from "./identity.ts"

/** Where to read from: the beginning, what comes from now on, after a position, or after the point that a token names. */
export type From = "start" | "now" | number | string

interface PointRow {
  readonly head: string
  readonly safe_up_to: string | null
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

  /** Fails with LogRewound where the position is not of this log any more, InvalidArgument where it is none. */
  position(from: From): Effect.Effect<number, LogError | PostgresError> {
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
            problem: `${JSON.stringify(token)} is no token: give one that an emit or a read returned`
          })
        )
      )
    }
    if (point.log !== this.identity.current().id) {
      const detail = `its token is of the log ${point.log}, this is ${this.identity.current().id}`
      return Effect.fail(logError(new LogRewound({ position: point.position, head: 0, detail })))
    }
    const { epoch } = this.identity.current()
    if (point.epoch > epoch) {
      const detail = `its token is of epoch ${point.epoch}, and this log is in epoch ${epoch}: it was restored from before`
      return Effect.fail(logError(new LogRewound({ position: point.position, head: 0, detail })))
    }
    return checkPosition(this.postgres, point.position, point.epoch)
  }
}

/** The position itself, where everything up to it is as it was in that epoch; else fails with LogRewound. */
export const checkPosition = (
  postgres: Postgres["Service"],
  position: number,
  epoch: number
): Effect.Effect<number, LogError | PostgresError> => {
  const { text, name } = statement("check_point", postgres.schema)
  return Effect.flatMap(postgres.query<PointRow>(text, [epoch], { name }), ({ rows }) => {
    const head = Number(rows[0]!.head)
    const safeUpTo = rows[0]!.safe_up_to === null ? head : Number(rows[0]!.safe_up_to)
    if (position <= Math.min(head, safeUpTo)) return Effect.succeed(position)
    const detail =
      position > head
        ? "it lies beyond the head"
        : `it is of epoch ${epoch}, and only positions up to ${safeUpTo} outlived that`
    return Effect.fail(logError(new LogRewound({ position, head, detail })))
  })
}
