import { Effect, type Scope } from "effect"
import { Bell } from "../base/bell.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { isRefused } from "./standing.ts"

/** How often at most an engine tells how often it found what it asked for, in ms: until then, only it knows. */
const TELL_EVERY_MS = 10_000

/** How long a closing engine tries to tell the rest, in ms. */
const LAST_WORDS_MS = 1_000

interface Count {
  readonly hits: number
  readonly misses: number
}

const NONE: Count = { hits: 0, misses: 0 }

/** How often this engine found what it asked for: counted here, so that no read costs a write, and told to the fleet now and then. */
export class Tally {
  private readonly postgres: Postgres["Service"]
  private readonly news = new Bell()
  private counts = new Map<string, Count>()

  constructor(postgres: Postgres["Service"]) {
    this.postgres = postgres
  }

  count(namespace: string, isHit: boolean): void {
    this.add(namespace, isHit ? { hits: 1, misses: 0 } : { hits: 0, misses: 1 })
  }

  /** Tells what was counted since it was last told. What could not be told is told the next time: after a lost connection it may count twice. */
  readonly tell: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    if (this.counts.size === 0) return Effect.void
    const told = this.counts
    this.counts = new Map()
    const { text, name } = statement("count_cache_reads", this.postgres.schema)
    const counts = [...told.values()]
    const values = [[...told.keys()], counts.map(({ hits }) => hits), counts.map(({ misses }) => misses)]
    const telling = Effect.asVoid(this.postgres.query(text, values, { name }))
    return Effect.tapError(telling, (error) =>
      Effect.sync(() => {
        // A role that may only read is not counted, and does not gather what nobody will take.
        if (isRefused(error)) return
        for (const [namespace, count] of told) this.add(namespace, count)
      })
    )
  })

  /** Tells it for the time of the scope, and the rest at its end. */
  readonly run: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() => {
    const step = this.news
      .wait()
      .pipe(Effect.andThen(Effect.sleep(TELL_EVERY_MS)), Effect.andThen(Effect.ignore(this.tell)))
    const lastWords = Effect.ignore(Effect.timeoutOption(this.tell, LAST_WORDS_MS))
    return Effect.andThen(
      Effect.addFinalizer(() => lastWords),
      Effect.asVoid(Effect.forkScoped(Effect.forever(step)))
    )
  })

  private add(namespace: string, { hits, misses }: Count): void {
    const before = this.counts.get(namespace) ?? NONE
    this.counts.set(namespace, { hits: before.hits + hits, misses: before.misses + misses })
    this.news.ring()
  }
}
