import { Effect, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import { Bell } from "../base/bell.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { type Card, keyOf, type Look, type Post, signOfLife, type Sighting, type Terms } from "./post.ts"

/** How often in its lease an engine says that it is alive, and how soon the server must answer: later, it is worth nothing. */
const SIGNS_PER_LEASE = 2

/** How long after another's lease ends it is looked for, in ms. */
const AFTER_LEASE_MS = 20

/** How soon it looks for those who look again and again, in ms: once for all of them. */
const SOON_MS = 100

/** How long an engine must not have been heard of to be forgotten, in ms: until then `status` can name it. */
const FORGET_MS = 3_600_000

type Listener = (look: Look) => void

interface Watched {
  readonly post: Post
  readonly listeners: Set<Listener>
}

/** Keeps an engine in the fleet while it watches anything or has to stay, and tells the watchers how their posts stand. */
export class Keeper {
  private readonly postgres: Postgres["Service"]
  private readonly card: Card
  private readonly terms: Terms
  private readonly watched = new Map<string, Watched>()
  /** How many want it to stay, whatever it watches. */
  private stays = 0
  private readonly news = new Bell()
  /** Until when the others surely take this engine for alive; counted from before the sign was sent, so never too late. */
  private sureUntil = Number.NEGATIVE_INFINITY
  /** When it was heard of after it could have been taken for gone: what it owned before that may be another's. */
  private heardAgainAt = 0
  private hasJoined = false
  private failures = 0
  private soon: NodeJS.Timeout | undefined

  constructor(postgres: Postgres["Service"], card: Card, leaseMs: number) {
    this.postgres = postgres
    this.card = card
    this.terms = { leaseMs, answerTimeoutMs: leaseMs / SIGNS_PER_LEASE }
  }

  watch(post: Post, onLook: Listener): () => void {
    const key = keyOf(post)
    const watched = this.watched.get(key) ?? { post, listeners: new Set() }
    watched.listeners.add(onLook)
    this.watched.set(key, watched)
    this.look()
    return () => {
      watched.listeners.delete(onLook)
      if (watched.listeners.size === 0 && this.watched.get(key) === watched) this.watched.delete(key)
    }
  }

  /** Stays in the fleet until what it returns is called. */
  stay(): () => void {
    this.stays += 1
    if (this.stays === 1) this.look()
    let isOver = false
    return () => {
      if (!isOver) this.stays -= 1
      isOver = true
    }
  }

  look(): void {
    this.news.ring()
  }

  /** Looks within SOON_MS, once however many ask. */
  lookSoon(): void {
    if (this.watched.size === 0) return
    this.soon ??= setTimeout(() => {
      this.soon = undefined
      this.look()
    }, SOON_MS)
  }

  get sureSince(): number | undefined {
    return performance.now() < this.sureUntil ? this.heardAgainAt : undefined
  }

  /** The loop, for the time of the scope. */
  readonly run: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() =>
    Effect.asVoid(Effect.forkScoped(Effect.forever(this.step)))
  )

  /** Gives up everything that is owned; whether there was anything to give up. */
  readonly leave: Effect.Effect<boolean> = Effect.suspend(() => {
    this.watched.clear()
    this.stays = 0
    clearTimeout(this.soon)
    if (!this.hasJoined) return Effect.succeed(false)
    this.sureUntil = Number.NEGATIVE_INFINITY
    const { text } = statement("leave_fleet", this.postgres.schema)
    const { engine, application, host, pid, process = null } = this.card
    return Effect.isSuccess(this.postgres.query(text, [engine, application, host, pid, process]))
  })

  private readonly step: Effect.Effect<void> = Effect.suspend(() => {
    if (this.watched.size === 0 && this.stays === 0) return this.news.wait()
    return Effect.matchEffect(this.sign, {
      onSuccess: ({ soonestMs }) => {
        this.failures = 0
        return this.news.wait(Math.min(this.terms.leaseMs / SIGNS_PER_LEASE, soonestMs + AFTER_LEASE_MS))
      },
      onFailure: () => this.news.wait(backoffMs(this.failures++))
    })
  })

  private readonly sign: Effect.Effect<Sighting, PostgresError> = Effect.gen({ self: this }, function* () {
    const { schema } = this.postgres
    if (!this.hasJoined) {
      yield* this.postgres.query(statement("sweep_engines", schema).text, [FORGET_MS])
      this.hasJoined = true
    }
    const sentAt = performance.now()
    const posts = [...this.watched.values()].map(({ post }) => post)
    const sighting = yield* this.postgres.withConnection(
      (connection) => signOfLife(connection, schema, this.card, this.terms, posts),
      this.terms.answerTimeoutMs
    )
    const answeredAt = performance.now()
    if (answeredAt >= this.sureUntil) this.heardAgainAt = answeredAt
    this.sureUntil = sentAt + this.terms.leaseMs
    for (const [key, look] of sighting.looks) {
      for (const listener of this.watched.get(key)?.listeners ?? []) listener(look)
    }
    // Each has left, although it could not say so itself.
    for (const engine of sighting.gone)
      yield* this.postgres.query(statement("bury_engine", schema).text, [engine])
    return sighting.gone.size === 0 ? sighting : { ...sighting, soonestMs: 0 }
  })
}
