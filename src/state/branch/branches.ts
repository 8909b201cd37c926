import { Effect, type Scope, Semaphore } from "effect"
import type { EventLog } from "../../log/event-log.ts"
import { isSameOrigin, type LogIdentity, type Origin } from "../../log/identity.ts"
import type { LogError } from "../../log/error.ts"
import type { Meta, NewEvent, Placed } from "../../log/event.ts"
import type { PostgresError } from "../../postgres/error.ts"
import type { Queryable } from "../../postgres/postgres.ts"
import type { BranchName, BranchState } from "./branch-state.ts"
import { BranchWriter } from "./writer.ts"
import { StateHasher } from "./hash.ts"
import type { Loader, LoadFailure } from "./loader.ts"
import { REPAIRS } from "../event.ts"
import { NOTHING, type Selection, type StateStore } from "../store.ts"

/** How many branches an engine keeps in memory, and about how many bytes of their values as JSON. */
const MOST_BRANCHES = 10_000
const MOST_BYTES = 64 * 1024 * 1024

/** How often a branch is loaded that this engine writes meanwhile. */
const LOAD_TRIES = 5

/** What is known of a branch, and who writes it for this engine. */
export interface Branch {
  readonly name: BranchName
  readonly writer: BranchWriter
  /** What is known of it; maybe not the latest. */
  state: BranchState | undefined
  origin: Origin
  /** How often what was known of it was let go of. */
  forgotten: number
  /** What is counted of it. */
  bytes: number
}

/** Appends to a branch that is locked. */
export type AppendLocked = (
  events: ReadonlyArray<NewEvent>,
  meta?: Meta
) => Effect.Effect<ReadonlyArray<Placed>, LogError | PostgresError>

export interface BranchesParts {
  readonly log: EventLog["Service"]
  readonly store: StateStore["Service"]
  readonly identity: LogIdentity["Service"]
  readonly loader: Loader
  readonly scope: Scope.Scope
}

/** The branches that this engine has to do with, as far as they are known. */
export class Branches {
  private readonly parts: BranchesParts
  private readonly branches = new Map<string, Branch>()
  private readonly turns = Semaphore.makeUnsafe(1)
  private bytes = 0

  constructor(parts: BranchesParts) {
    this.parts = parts
  }

  /** A branch by its name; used last. */
  of(name: BranchName): Branch {
    const known = this.branches.get(name.stream)
    if (known !== undefined) {
      this.branches.delete(name.stream)
      this.branches.set(name.stream, known)
      return known
    }
    const branch: Branch = {
      name,
      writer: this.writerOf(name),
      state: undefined,
      origin: this.parts.identity.current(),
      forgotten: 0,
      bytes: 0
    }
    this.branches.set(name.stream, branch)
    this.trim()
    return branch
  }

  /** What is known of a branch, where that is of the log as it is. */
  known({ name: { stream } }: Branch): BranchState | undefined {
    const branch = this.branches.get(stream)
    if (branch?.state === undefined) return undefined
    if (isSameOrigin(branch.origin, this.parts.identity.current())) return branch.state
    branch.state = undefined
    return undefined
  }

  /** A branch with some keys: as it was last known, or as it is in the log just now. */
  read(branch: Branch, selection: Selection, isFresh: boolean): Effect.Effect<BranchState, LoadFailure> {
    const reading = Effect.suspend(() => {
      const state = this.known(branch)
      if (state === undefined || !state.knows(selection)) return this.load(branch, selection)
      return isFresh ? this.refresh(branch, state, selection) : Effect.succeed(state)
    })
    return Effect.tap(reading, () => Effect.sync(() => this.count(branch)))
  }

  /** What is being loaded just now is not kept, either. */
  forget(branch: Branch): void {
    branch.state = undefined
    branch.forgotten += 1
  }

  /** The same by its name. */
  forgetName(name: BranchName): void {
    this.forget(this.of(name))
  }

  /** Reads on from what is known. */
  private readonly refresh = Effect.fnUntraced(
    { self: this },
    function* (
      branch: Branch,
      state: BranchState,
      selection: Selection
    ): Effect.fn.Return<BranchState, LoadFailure> {
      const { store, loader, identity } = this.parts
      const { head, events } = yield* store.tail(branch.name.stream, state.version)
      if (head < state.version || !isSameOrigin(branch.origin, identity.current()))
        return yield* this.load(branch, selection)
      // What is known may be of what a repair passed over.
      if (events.some(({ type }) => REPAIRS.has(type))) return yield* this.load(branch, selection)
      for (const event of events) yield* loader.follow(state, event, selection)
      return state.knows(selection) ? state : yield* this.load(branch, selection)
    }
  )

  private readonly load = Effect.fnUntraced(
    { self: this },
    function* (branch: Branch, selection: Selection): Effect.fn.Return<BranchState, LoadFailure> {
      const { loader, store, identity } = this.parts
      for (let tries = 1; ; tries++) {
        yield* Effect.ignore(identity.sure)
        const origin = identity.current()
        const { forgotten } = branch
        const found = yield* loader.head(branch.name, selection)
        found.hasher ??= new StateHasher(yield* store.secret(branch.name.agent))
        const state = this.known(branch)
        if (state?.version === found.version && state.id === found.id) {
          state.learnFrom(found, selection)
          return state
        }
        // This engine has written it meanwhile.
        const isBefore = state !== undefined && state.id === found.id && state.version > found.version
        const isOld = isBefore || branch.forgotten !== forgotten
        if (isOld && tries < LOAD_TRIES) continue
        if (isOld) return found
        branch.state = found
        branch.origin = origin
        return found
      }
    }
  )

  /**
   * One after the other: what holds a stream has a connection, and asks for another one to look at what it needs. Many at once would have
   * all connections, and wait for each other.
   */
  alone<A, E, R>(use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.turns.withPermits(1)(use)
  }

  /**
   * Runs `use` in a transaction in which nobody else can write the branch; it is given the branch, a way to read more of its keys, and
   * one to append to it, which commits with the transaction.
   */
  locked<A, E>(
    name: BranchName,
    use: (
      state: BranchState,
      load: (selection: Selection) => Effect.Effect<BranchState, LoadFailure>,
      append: AppendLocked
    ) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | LogError | LoadFailure> {
    const { log, store, loader } = this.parts
    const held = log.transaction((tx) =>
      Effect.gen({ self: this }, function* () {
        const connection: Queryable = { query: (text, values) => tx.query(text, values) }
        yield* store.lock(name.stream, connection)
        const load = Effect.fnUntraced({ self: this }, function* (selection: Selection) {
          const found = yield* loader.head(name, selection, connection)
          found.hasher ??= new StateHasher(yield* store.secret(name.agent))
          return found
        })
        const state = yield* load(NOTHING)
        const expected = state.version === 0 ? "none" : state.version
        const append: AppendLocked = (events, meta) =>
          Effect.gen(function* () {
            yield* tx.emit(name.stream, events, meta === undefined ? { expected } : { expected, meta })
            const placed = yield* tx.flush
            return placed.flatMap((part): ReadonlyArray<Placed> => part.events)
          })
        return yield* use(state, load, append)
      })
    )
    // What was read before it was done is not to be taken for what is known.
    return Effect.ensuring(
      this.alone(held),
      Effect.sync(() => this.forgetName(name))
    )
  }

  private writerOf(name: BranchName): BranchWriter {
    const { log, scope } = this.parts
    const branch = (): Branch => this.of(name)
    return new BranchWriter(
      log,
      {
        ...name,
        known: (selection, isFresh) => this.read(branch(), selection, isFresh),
        locked: (selection, use) =>
          this.locked(name, (_, load, append) =>
            Effect.flatMap(load(selection), (state) => use(state, append))
          ),
        forget: () => this.forget(branch())
      },
      scope
    )
  }

  private count(branch: Branch): void {
    // It was let go of while it was read.
    if (this.branches.get(branch.name.stream) !== branch) return
    const bytes = (branch.state?.bytes ?? 0) + (branch.state?.meetings.bytes ?? 0)
    this.bytes += bytes - branch.bytes
    branch.bytes = bytes
    this.trim()
  }

  /** Lets go of what was not used for longest. */
  private trim(): void {
    for (const [stream, branch] of this.branches) {
      const isRoom = this.branches.size <= MOST_BRANCHES && this.bytes <= MOST_BYTES
      // The one that was used last stays, however large it is.
      if (isRoom || this.branches.size === 1) return
      if (!branch.writer.isIdle) continue
      this.bytes -= branch.bytes
      this.branches.delete(stream)
    }
  }
}
