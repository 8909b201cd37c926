import { Effect } from "effect"
import { chunksOf } from "../../base/chunk.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Event } from "../../log/event.ts"
import { sizeOf } from "../../log/event-size.ts"
import { type Page, Pager } from "../../log/pager.ts"
import type { EntitiesShape, Row } from "../definition.ts"
import { Things } from "../entities-fold.ts"
import { attempt, type FoldFailed } from "../fold.ts"
import type { Failure } from "../fold-stretch.ts"
import type { EntityTable } from "../generation.ts"
import type { Build, RebuildParts } from "./build.ts"
import { type Filler, type Filling, foldLikeLive, isAboutEvents } from "./filler.ts"

/** How many changed rows are saved at once. */
const SAVE_ROWS = 10_000

/** … or after how many events, which would have to be folded again where the connection is lost … */
const SAVE_EVENTS = 50_000

/** … or after how large ones, in bytes: as much as they, rows may have grown. */
const SAVE_BYTES = 32 * 1024 * 1024

/** How many rows are held in memory between batches … */
const HELD_ROWS = 200_000

/** … and how much of them as JSON, in characters. */
const HELD_CHARACTERS = 64 * 1024 * 1024

/** How much JSON goes to the server in one statement, in characters, unless a single row is larger. */
const CHUNK_CHARACTERS = 16 * 1024 * 1024

/**
 * Folds the log in memory, event after event, and saves rows in large batches. Nobody else writes the tables, so rows that
 * were folded once need not be loaded again: only where there are too many to be held, all of them are let go.
 */
class EntitiesFiller implements Filler {
  private readonly parts: RebuildParts
  private readonly build: Build
  private readonly things: Things
  private readonly table: EntityTable
  /** What is known of things; undefined where there is none. */
  private readonly held = new Map<string, Row | undefined>()
  private readonly unsaved = new Set<string>()
  /** Every row that was ever made is held. */
  private holdsAll = true
  private heldCharacters = 0
  private unsavedBytes = 0
  private unsavedEvents = 0

  constructor(parts: RebuildParts, build: Build, things: Things, table: EntityTable) {
    this.parts = parts
    this.build = build
    this.things = things
    this.table = table
  }

  readonly fill = (upTo: number): Effect.Effect<void, Failure> =>
    Effect.suspend(() => {
      if (this.build.position >= upTo) return Effect.void
      // What was folded and not saved is let go, wherever it goes on then.
      const folding = Effect.onError(this.foldUpTo(upTo), () => Effect.sync(() => this.letGo()))
      return Effect.catchIf(folding, isAboutFailure, () => this.likeLive(upTo))
    })

  private readonly foldUpTo = (upTo: number): Effect.Effect<void, Failure> =>
    Effect.gen({ self: this }, function* () {
      const pager = new Pager(this.parts.feed.pages, { types: this.build.wanted })
      let page: Page = yield* pager.next(this.build.position, upTo)
      for (;;) {
        const { last } = page
        const ahead = last < upTo ? pager.next(last, upTo) : Effect.succeed(undefined)
        const both = [Effect.result(this.foldPage(page)), Effect.result(ahead)] as const
        // An interrupted query would cost its connection, so neither ends the other.
        const [folded, next] = yield* Effect.all(both, { concurrency: 2 })
        yield* Effect.fromResult(folded)
        const found = yield* Effect.fromResult(next)
        if (found === undefined) return yield* this.save(upTo)
        page = found
      }
    })

  private readonly foldPage = Effect.fnUntraced({ self: this }, function* ({ events, last }: Page) {
    const keyed = yield* attempt(() =>
      this.things.keyed(events.map((event) => this.build.types.upcast(event)))
    )
    if (!this.holdsAll) yield* this.load(keyed.map(([key]) => key))
    yield* attempt(() => this.foldKeyed(keyed))
    this.unsavedBytes += events.reduce((sum, event) => sum + sizeOf(event), 0)
    this.unsavedEvents += events.length
    this.build.pace.folded(events.length, last)
    const isEnough = this.unsaved.size >= SAVE_ROWS || this.unsavedEvents >= SAVE_EVENTS
    if (isEnough || this.unsavedBytes >= SAVE_BYTES) yield* this.save(last)
  })

  private foldKeyed(keyed: ReadonlyArray<readonly [string, Event]>): void {
    for (const [id, event] of keyed) {
      const before = this.held.get(id)
      const after = this.things.after(before, id, event)
      if (after === before) continue
      this.held.set(id, after)
      this.unsaved.add(id)
    }
  }

  private load(keys: ReadonlyArray<string>): Effect.Effect<void, PostgresError> {
    const missing = [...new Set(keys)].filter((key) => !this.held.has(key))
    if (missing.length === 0) return Effect.void
    const { text, name } = this.table.statements.load
    return Effect.map(this.parts.postgres.query<Row>(text, [missing], { name }), ({ rows }) => {
      for (const key of missing) this.held.set(key, undefined)
      for (const row of rows) this.held.set(this.things.keyIn(row), Object.freeze(row))
    })
  }

  /** Writes what has changed: from then on the tables are as the log made them up to a position. */
  private readonly save = Effect.fnUntraced({ self: this }, function* (upTo: number) {
    const keys = [...this.unsaved]
    const rows = keys.flatMap((key) => this.held.get(key) ?? [])
    const removed = keys.filter((key) => this.held.get(key) === undefined)
    const texts = yield* attempt(() => rows.map((row) => JSON.stringify(row)))
    const { save, remove } = this.table.statements
    const stretch = { from: this.build.position, to: upTo }
    yield* this.build.advance(stretch, this.unsavedEvents, (connection) =>
      Effect.gen(function* () {
        for (const some of chunksOf(texts, CHUNK_CHARACTERS))
          yield* connection.query(save.text, [`[${some.join(",")}]`], { name: save.name })
        if (removed.length > 0) yield* connection.query(remove.text, [removed], { name: remove.name })
      })
    )
    this.build.reach(upTo)
    // As rows that were loaded are: a fold that changes one in place is found out.
    for (const row of rows) Object.freeze(row)
    this.heldCharacters += texts.reduce((sum, text) => sum + text.length, 0)
    this.unsaved.clear()
    this.unsavedBytes = 0
    this.unsavedEvents = 0
    if (this.held.size > HELD_ROWS || this.heldCharacters > HELD_CHARACTERS) this.letGo()
  })

  private letGo(): void {
    this.held.clear()
    this.unsaved.clear()
    this.unsavedBytes = 0
    this.unsavedEvents = 0
    this.heldCharacters = 0
    this.holdsAll = false
  }

  /** From what was saved last, to find the event that it fails on. */
  private likeLive(upTo: number): Effect.Effect<void, Failure> {
    const { build } = this
    this.letGo()
    build.pace.resume(build.position, build.events)
    return foldLikeLive(this.parts.feed, build, build.position, upTo, (events, position) => {
      build.reach(position)
      build.pace.folded(events, position)
    })
  }
}

const isAboutFailure = (failure: Failure): failure is PostgresError | FoldFailed =>
  failure._tag !== "Poisoned" && isAboutEvents(failure)

/** How the table of an entities projection is filled. */
export const entitiesFiller = (
  parts: RebuildParts,
  build: Build,
  model: EntitiesShape
): Effect.Effect<Filling, PostgresError> =>
  Effect.map(build.generation.entities(parts.postgres, model), (table) => ({
    filler: new EntitiesFiller(parts, build, new Things(model, table.columns), table),
    onlyAdds: false,
    onlyByKey: true
  }))
