import { Data, Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { Connection } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { Pager } from "../../log/pager.ts"
import type { ProjectionError } from "../error.ts"
import { attempt, type FoldFailed } from "../fold.ts"
import type { Overtaken, Registered } from "../registry.ts"
import { checkVersion } from "./begin.ts"
import type { Build, RebuildParts } from "./build.ts"
import { sameEpoch } from "./epoch.ts"
import type { Recorded } from "./generations.ts"
import { isOfLog } from "./verify.ts"
import { dressTables, replaceViews } from "./views.ts"

/** How long one try to swap may wait for locks, in ms: that long, readers that come meanwhile may have to wait behind it. */
export const SWAP_TRY_MS = 100

/** The live model is too far ahead to be reached while its row is held. */
export class Behind extends Data.TaggedError("Behind") {
  override get message(): string {
    return "the live model was too far ahead"
  }
}

/** Lets the locks of a transaction be waited for, all together, as long as one try may take. */
class Patience {
  private readonly connection: Connection
  private readonly endsAt = performance.now() + SWAP_TRY_MS

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** Before a statement that may wait for a lock. */
  readonly limit: Effect.Effect<void, PostgresError> = Effect.suspend(() => {
    const left = Math.max(1, Math.ceil(this.endsAt - performance.now()))
    return Effect.asVoid(this.connection.query(`set local lock_timeout = ${left}`))
  })
}

/** The generation whose place is taken. */
const liveOf = (
  generations: ReadonlyArray<Recorded>,
  live: Registered,
  relations: ReadonlyArray<string>
): Pick<Recorded, "generation" | "version" | "hash" | "relations"> => ({
  generation: live.generation,
  version: live.version,
  hash: live.hash,
  relations:
    generations.find(({ generation, relations: known }) => generation === live.generation && known.length > 0)
      ?.relations ?? relations
})

/** What takes the place of the live generation. */
export interface Successor {
  readonly name: string
  readonly generation: number
  readonly version: number
  readonly hash: string
  readonly relations: ReadonlyArray<string>
}

/**
 * Has the views show another generation, from a position on, and keeps the one they showed. In the transaction that holds the
 * projection's row; the views come last, since readers wait from then on.
 */
export const takePlace = Effect.fnUntraced(function* (
  { postgres: { schema }, registry, generations }: RebuildParts,
  connection: Connection,
  live: Registered | undefined,
  next: Successor,
  position: number
): Effect.fn.Return<void, PostgresError | ProjectionError> {
  const { name, relations } = next
  const found = yield* generations.of(connection, name)
  const shown = live === undefined ? [] : liveOf(found, live, relations).relations
  const showing = {
    name,
    schema,
    shown,
    from: live?.generation ?? 0,
    relations,
    to: next.generation
  }
  yield* dressTables(connection, showing)
  if (live !== undefined)
    yield* generations.set(connection, name, liveOf(found, live, relations), "kept", live.position)
  yield* generations.set(connection, name, next, "live", position)
  yield* registry.swap(connection, name, next, position)
  yield* new Patience(connection).limit
  yield* replaceViews(connection, showing)
})

/** Folds what the live model has and the build has not. It is little, or the swap is put off. */
const reachLive = Effect.fnUntraced(function* (
  { feed }: RebuildParts,
  build: Build,
  connection: Connection,
  upTo: number
): Effect.fn.Return<void, PostgresError | FoldFailed | Behind> {
  const page = yield* new Pager(feed.pages, { types: build.wanted }).next(build.position, upTo)
  const batch = yield* attempt(() => page.events.map((event) => build.types.upcast(event)))
  if (page.last < upTo) return yield* new Behind()
  if (batch.length > 0) yield* build.fold(connection, batch)
})

/** The first locks of a swap: no other generation is made or swapped meanwhile, and no batch folded. */
export const lockProjection = Effect.fnUntraced(function* (
  { postgres: { schema }, registry }: RebuildParts,
  connection: Connection,
  name: string
) {
  const patience = new Patience(connection)
  yield* patience.limit
  yield* connection.query(statement("lock_projections", schema).text, [schema])
  yield* patience.limit
  return yield* registry.lock(name, connection)
})

/** What a swap did. */
export interface Swapped {
  readonly live: Registered | undefined
  readonly position: number
}

/**
 * One try to make a build live, exactly where the live model is, or further. Fails with LockTimeout or Behind where it has to be
 * tried again.
 */
export const swap = (
  parts: RebuildParts,
  build: Build,
  { force, epoch }: { readonly force: boolean; readonly epoch: string }
): Effect.Effect<Swapped, PostgresError | ProjectionError | FoldFailed | Behind | Overtaken> =>
  parts.postgres.transaction(
    Effect.fnUntraced(function* (connection) {
      const { blueprint, number } = build
      const { name, version, relations } = blueprint.definition
      const live = yield* lockProjection(parts, connection, name)
      yield* build.hold(connection, true)
      yield* checkVersion(blueprint, live, force)
      yield* sameEpoch(parts.postgres, connection, name, epoch)
      const position = isOfLog(live) ? Math.max(live.position, build.position) : build.position
      if (position > build.position) yield* reachLive(parts, build, connection, position)
      const successor = { name, generation: number, version, hash: blueprint.hash, relations }
      yield* takePlace(parts, connection, live, successor, position)
      yield* build.generation.publishViews(connection)
      return { live, position }
    })
  )
