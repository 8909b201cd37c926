import { Effect } from "effect"
import { Contention, type PostgresError } from "../../postgres/error.ts"
import type { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { refOfStream } from "../../state/name.ts"
import {
  type BrokenTarget,
  PRIORITIES,
  type QueuedWork,
  type QueueStanding,
  type Work,
  type WorkFailure,
  type WorkState
} from "./work.ts"

/** For how long work is taken on, in ms, unless it is kept: after that somebody else may do it, too, which does no harm. */
const CLAIM_MS = 10_000

/** As if it had come so much later for each step of less priority, in ms: so it is delayed, and not for ever. */
const PRIORITY_MS = 5_000

/** How often a statement is tried that another one was in the way of. */
const TRIES = 10

/** So often in a row a target may fail … */
const BREAK_AFTER = 5

/** … before nothing is brought into it for so long, in ms, doubling each time it fails again … */
const BREAK_FIRST_MS = 10_000

/** … up to this. */
const BREAK_LONGEST_MS = 300_000

type ListedRow = Omit<QueuedWork, "source" | "target" | "priority"> & {
  readonly source: string
  readonly target: string
  readonly priority: number
}

interface StandingRow extends Omit<QueueStanding, "broken"> {
  readonly breakers: ReadonlyArray<{
    readonly target: string
    readonly failures: number
    readonly openUntil: string
    readonly failure: WorkFailure
  }>
}

type ClaimedRow = Omit<Work, "link"> & { readonly link: string | null }

export interface WorkList {
  readonly link?: string
  readonly state?: WorkState
  /** Default: 100. */
  readonly limit?: number
}

const DEFAULT_LIMIT = 100

const placeOfStream = (stream: string) => {
  const { agent, ref } = refOfStream(stream)
  return { agent, branch: ref }
}

const brokenOf = ({
  target,
  failures,
  openUntil,
  failure
}: StandingRow["breakers"][number]): BrokenTarget => ({
  ...placeOfStream(target),
  failures,
  openUntil: new Date(openUntil),
  failure
})

/** What is still to be brought, and by whom it is being done: a table, from which every engine of the fleet takes what is due. */
export class WorkQueue {
  private readonly postgres: Postgres["Service"]

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
  }

  /** A link has something to bring; once, however often that is said before it is done. */
  put(
    link: string,
    ways: ReadonlyArray<readonly [source: string, target: string]>,
    priority: number
  ): Effect.Effect<void, PostgresError> {
    if (ways.length === 0) return Effect.void
    const columns = [ways.map(([source]) => source), ways.map(([, target]) => target)]
    return Effect.asVoid(this.ask("queue_sync_work", [link, ...columns, priority]))
  }

  /** What has failed is to be tried again in so many ms. */
  putAgain(
    { source, target, options }: Pick<Work, "source" | "target" | "options">,
    priority: number,
    failure: WorkFailure,
    delayMs: number
  ): Effect.Effect<string, PostgresError> {
    const values = [source, target, JSON.stringify(options), priority, JSON.stringify(failure), delayMs]
    return Effect.map(this.ask<{ work: string }>("queue_sync_again", values), ([row]) => row!.work)
  }

  /** Takes on so much of what is due, at most. */
  claim(most: number): Effect.Effect<ReadonlyArray<Work>, PostgresError> {
    const values = [most, CLAIM_MS, PRIORITY_MS, BREAK_FIRST_MS]
    return Effect.map(this.ask<ClaimedRow>("claim_sync_work", values), (rows) =>
      rows.map(({ link, ...row }) => ({ ...row, link: link ?? undefined }))
    )
  }

  /** It is still being done. */
  extend(works: ReadonlyArray<Work>): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("extend_sync_work", [works.map(({ work }) => work), CLAIM_MS]))
  }

  finish(works: ReadonlyArray<Work>): Effect.Effect<void, PostgresError> {
    if (works.length === 0) return Effect.void
    const columns = [works.map(({ work }) => work), works.map(({ version }) => version)]
    return Effect.asVoid(this.ask("finish_sync_work", columns))
  }

  /** Tried again in so many ms; parked where that is undefined. */
  fail(
    { work, version }: Work,
    failure: WorkFailure,
    delayMs: number | undefined
  ): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(
      this.ask("fail_sync_work", [work, version, JSON.stringify(failure), delayMs ?? null])
    )
  }

  /** Not done, and not failed. */
  release(works: ReadonlyArray<Work>, isHeld: boolean, delayMs: number): Effect.Effect<void, PostgresError> {
    if (works.length === 0) return Effect.void
    const columns = [works.map(({ work }) => work), works.map(({ version }) => version)]
    return Effect.asVoid(this.ask("release_sync_work", [...columns, delayMs, isHeld]))
  }

  /** A target could not be written. */
  breaks({ target }: Pick<Work, "target">, failure: WorkFailure): Effect.Effect<void, PostgresError> {
    const values = [target, JSON.stringify(failure), BREAK_AFTER, BREAK_FIRST_MS, BREAK_LONGEST_MS]
    return Effect.asVoid(this.ask("break_sync_target", values))
  }

  hold(link: string, isHeld: boolean): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("hold_sync_work", [link, isHeld]))
  }

  /** A link that is over has nothing to bring any more. */
  forget(link: string): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("forget_sync_work", [link]))
  }

  /** What a link had to bring on other ways than these is not to be brought any more. */
  keep(
    link: string,
    ways: ReadonlyArray<readonly [source: string, target: string]>
  ): Effect.Effect<void, PostgresError> {
    const columns = [ways.map(([source]) => source), ways.map(([, target]) => target)]
    return Effect.asVoid(this.ask("keep_sync_work", [link, ...columns]))
  }

  /** States of these agents have changed: what could not be done because of some errors may be possible now. */
  wake(agents: ReadonlyArray<string>, errors: ReadonlyArray<string>): Effect.Effect<void, PostgresError> {
    return Effect.asVoid(this.ask("wake_sync_work", [agents, errors]))
  }

  retry(work: string | undefined): Effect.Effect<number, PostgresError> {
    return Effect.map(this.ask("retry_sync_work", [work ?? null]), (rows) => rows.length)
  }

  drop(
    work: string | undefined
  ): Effect.Effect<ReadonlyArray<Work & { readonly failure: WorkFailure }>, PostgresError> {
    return this.ask("drop_sync_work", [work ?? null])
  }

  list({
    link,
    state,
    limit = DEFAULT_LIMIT
  }: WorkList): Effect.Effect<ReadonlyArray<QueuedWork>, PostgresError> {
    return Effect.map(this.ask<ListedRow>("list_sync_work", [link ?? null, state ?? null, limit]), (rows) =>
      rows.map((row) => ({
        ...row,
        source: placeOfStream(row.source),
        target: placeOfStream(row.target),
        priority: PRIORITIES[row.priority]!
      }))
    )
  }

  get standing(): Effect.Effect<QueueStanding, PostgresError> {
    return Effect.map(this.ask<StandingRow>("sync_work_standing", []), ([row]) => {
      const { breakers, ...counts } = row!
      return { ...counts, broken: breakers.map(brokenOf) }
    })
  }

  /** In how many ms something is due; undefined where nothing is to be done. */
  get next(): Effect.Effect<number | undefined, PostgresError> {
    return Effect.map(this.ask<{ ms: number }>("next_sync_work", []), ([row]) => row?.ms)
  }

  private ask<Row>(
    query: string,
    values: ReadonlyArray<unknown>
  ): Effect.Effect<ReadonlyArray<Row>, PostgresError> {
    const { text, name } = statement(query, this.postgres.schema)
    const asked = Effect.map(this.postgres.query<Row>(text, values, { name }), ({ rows }) => rows)
    return Effect.retry(asked, { while: ({ reason }) => reason instanceof Contention, times: TRIES })
  }
}
