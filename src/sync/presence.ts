import { Context, Effect, Layer, type Scope } from "effect"
import { backoffMs } from "../base/backoff.ts"
import { Bell } from "../base/bell.ts"
import { Fleet } from "../fleet/fleet.ts"
import { isGoneFromHere } from "../fleet/process-place.ts"
import { isSameOrigin, LogIdentity, type Origin } from "../log/identity.ts"
import { AccessDenied, PostgresError } from "../postgres/error.ts"
import { Postgres } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"

/** How often an engine that watches looks whether that is still known, in ms: the log may have been restored to before it was told. */
const CHECK_MS = 5_000

/** How long until an engine that may not tell what it watches, in a reader's role or on a standby, asks whether it may by now, in ms. */
const ASK_AGAIN_MS = 30_000

/** How long what has come and gone is gathered, in ms: it is told in one statement. */
const GATHER_MS = 50

/** What is watched. */
export interface Attendance {
  readonly agent: string
  readonly branch: string
  readonly paths: ReadonlyArray<string>
  /** Of one that keeps its place under a name. */
  readonly name: string | undefined
}

/** A watch that is under way, wherever that is. */
export interface Attendant extends Attendance {
  /** When it began, by the clock of the database. */
  readonly since: Date
  /** The engine that watches, and its process. */
  readonly engine: string
  readonly application: string
  readonly host: string
  readonly pid: number
}

/** Of which watches; all by default. */
export interface PresenceFilter {
  readonly agent?: string
  readonly branch?: string
}

/** Who watches what, in all engines of the log. */
export class Presence extends Context.Service<
  Presence,
  {
    /** Others see that this is watched, for the time of the scope: soon, and as far as this engine may tell. Waits for nothing. */
    readonly attend: (what: Attendance) => Effect.Effect<void, never, Scope.Scope>
    /** The watches of all engines that are alive, by agent, branch and age. */
    readonly list: (filter?: PresenceFilter) => Effect.Effect<ReadonlyArray<Attendant>, PostgresError>
  }
>()("tidemark/sync/Presence") {
  static readonly layer: Layer.Layer<Presence, never, Postgres | Fleet | LogIdentity> = Layer.effect(
    Presence,
    Effect.gen(function* () {
      const postgres = yield* Postgres
      const teller = new Teller(postgres, yield* Fleet, yield* LogIdentity)
      yield* Effect.forkScoped(Effect.forever(teller.step))
      return Presence.of({
        attend: (what) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => teller.add(what)),
              (leave) => Effect.sync(leave)
            )
          ),
        list: (filter = {}) => living(postgres, filter)
      })
    })
  )
}

interface LivingRow extends Omit<Attendant, "name"> {
  readonly name: string | null
  readonly process: string | null
}

const attendantOf = (row: LivingRow): Attendant => {
  const { agent, branch, paths, name, since, engine, application, host, pid } = row
  return { agent, branch, paths, name: name ?? undefined, since, engine, application, host, pid }
}

const living = (
  postgres: Postgres["Service"],
  { agent, branch }: PresenceFilter
): Effect.Effect<ReadonlyArray<Attendant>, PostgresError> => {
  const { text, name } = statement("living_watches", postgres.schema)
  return Effect.map(postgres.query<LivingRow>(text, [agent ?? null, branch ?? null], { name }), ({ rows }) =>
    rows
      // One of this machine that was killed has a lease yet, and does not watch.
      .filter(({ process }) => process === null || !isGoneFromHere(process))
      .map(attendantOf)
  )
}

interface Attended {
  readonly what: Attendance
  /** By performance.now(). */
  readonly since: number
}

/** Tells what this engine watches: what has come and gone since the last time. */
class Teller {
  private readonly postgres: Postgres["Service"]
  private readonly fleet: Fleet["Service"]
  private readonly identity: LogIdentity["Service"]
  private readonly news = new Bell()
  private readonly watches = new Map<number, Attended>()
  private told: ReadonlySet<number> = new Set()
  /** The log that it was told to. */
  private origin: Origin
  /** What was told is not all known any more. */
  private isLost = false
  private made = 0
  private failures = 0
  private leaveFleet: (() => void) | undefined

  constructor(postgres: Postgres["Service"], fleet: Fleet["Service"], identity: LogIdentity["Service"]) {
    this.postgres = postgres
    this.fleet = fleet
    this.identity = identity
    this.origin = identity.current()
  }

  /** Returns how to end it. */
  add(what: Attendance): () => void {
    const watch = (this.made += 1)
    this.watches.set(watch, { what, since: performance.now() })
    this.news.ring()
    return () => {
      this.watches.delete(watch)
      this.news.ring()
    }
  }

  /** Tells what there is to tell, then waits for news, or until it is time to look whether it is still known. */
  readonly step: Effect.Effect<void> = Effect.suspend(() => {
    if (this.watches.size === 0 && this.told.size === 0) {
      this.leaveFleet?.()
      this.leaveFleet = undefined
      return Effect.andThen(this.news.wait(), Effect.sleep(GATHER_MS))
    }
    return Effect.matchEffect(Effect.andThen(this.joined, this.tell), {
      onSuccess: (isTold) => {
        if (!isTold) return Effect.sleep(backoffMs(this.failures++))
        this.failures = 0
        return this.isLost ? Effect.void : Effect.andThen(this.news.wait(CHECK_MS), Effect.sleep(GATHER_MS))
      },
      onFailure: (error) => Effect.sleep(mayNotTell(error) ? ASK_AGAIN_MS : backoffMs(this.failures++))
    })
  })

  /** Others take this engine for alive as long as it watches, where it may say that it is. */
  private readonly joined: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    if (this.leaveFleet !== undefined) return Effect.void
    const { query, schema } = this.postgres
    const asked = query<{ may_join: boolean }>(statement("may_join_fleet", schema).text, [schema])
    return Effect.flatMap(asked, ({ rows: [row] }) => {
      if (!row!.may_join) return new PostgresError({ reason: new AccessDenied({ detail: MAY_NOT_JOIN }) })
      this.leaveFleet = this.fleet.stay()
      return Effect.void
    })
  })

  /** Not done where others do not know this engine: its first sign of life is still on its way, or they have taken it for gone. */
  private readonly tell: Effect.Effect<boolean, PostgresError> = Effect.suspend(() => {
    const { schema } = this.postgres
    const origin = this.identity.current()
    const isAll = this.isLost || !isSameOrigin(origin, this.origin)
    const now = performance.now()
    const ended = [...this.told].filter((watch) => !this.watches.has(watch))
    const begun = [...this.watches]
      .filter(([watch]) => isAll || !this.told.has(watch))
      .map(([watch, { what, since }]) => ({ watch, ...what, age_ms: now - since }))
    const { text, name } = statement("tell_watches", schema)
    const values = [this.fleet.engine, ended, JSON.stringify(begun), isAll]
    return Effect.map(this.postgres.query<{ known: number }>(text, values, { name }), ({ rows: [row] }) => {
      if (row === undefined) return false
      this.isLost = !isAll && row.known !== this.told.size
      this.origin = origin
      const gone = new Set(ended)
      this.told = new Set([...this.told, ...begun.map(({ watch }) => watch)].filter((one) => !gone.has(one)))
      return true
    })
  })
}

const MAY_NOT_JOIN = "this role may not say what it watches, or the server is a standby"

const mayNotTell = ({ reason }: PostgresError): boolean =>
  reason._tag === "AccessDenied" || reason._tag === "ReadOnly"
