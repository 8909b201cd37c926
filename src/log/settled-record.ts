import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** How often at most the settled position is written down, in ms. */
export const RECORD_SETTLED_MS = 1_000

/** What this process knows of the settled position that is written down, and writes it down in its turn. */
export class SettledRecord {
  private readonly postgres: Pick<Postgres["Service"], "query">
  private readonly text: string
  private readonly name: string
  private recorded = 0
  private triedAt: number | undefined
  private underWay = false
  /** Counts what was forgotten: an answer from before then says nothing. */
  private forgotten = 0

  constructor(postgres: Pick<Postgres["Service"], "query" | "schema">) {
    this.postgres = postgres
    const { text, name } = statement("record_settled", postgres.schema)
    this.text = text
    this.name = name
  }

  isBehind(settled: number): boolean {
    return this.recorded < settled
  }

  /** In another epoch, what was written down may have been lost with the end of the log. */
  forget(): void {
    this.recorded = 0
    this.triedAt = undefined
    this.forgotten += 1
  }

  /** Now and then; again at a later look where it did not succeed. Never waits, never fails. */
  writeIfDue(settled: number): Effect.Effect<void> {
    if (this.underWay || !this.isBehind(settled)) return Effect.void
    const now = performance.now()
    if (this.triedAt !== undefined && now - this.triedAt < RECORD_SETTLED_MS) return Effect.void
    this.triedAt = now
    this.underWay = true
    const done = Effect.sync(() => {
      this.underWay = false
    })
    return Effect.asVoid(Effect.forkChild(Effect.ensuring(this.write(settled), done)))
  }

  private write(settled: number): Effect.Effect<void> {
    const { forgotten } = this
    const written = (isWritten: boolean): void => {
      if (isWritten && forgotten === this.forgotten) this.recorded = Math.max(this.recorded, settled)
    }
    return this.postgres.query<{ recorded: boolean }>(this.text, [settled], { name: this.name }).pipe(
      Effect.map(({ rows }) => written(rows[0]!.recorded)),
      // A role that may only read leaves it to others.
      Effect.catch((error: PostgresError) => Effect.sync(() => written(error.reason._tag === "AccessDenied")))
    )
  }
}
