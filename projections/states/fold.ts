import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import { categoryOf } from "../../src/log/name.ts"
import type { PostgresError } from "../../src/postgres/error.ts"
import { batches, type FoldTables } from "../../src/projection/definition.ts"
import type { FoldFailed } from "../../src/projection/fold.ts"
import {
  StateBranched,
  StateCompacted,
  StateCreated,
  StateMerged,
  StateRepaired,
  StateSynced
} from "../../src/state/event.ts"
import { CONFLICT, MERGE, refOfStream, STATE, SYNC, TAG } from "../../src/state/name.ts"
import { createdBranch, foldBranchEvent } from "./branch-fold.ts"
import { BranchOrigins } from "./branch-origins.ts"
import { BranchRepair } from "./branch-repair.ts"
import { foldTags } from "./tag-fold.ts"
import { foldInbox } from "./inbox-fold.ts"
import { foldMerges } from "./merge-fold.ts"
import { SyncFold } from "./sync-fold.ts"
import { type Folding, StateTables } from "./state-tables.ts"

/** What needs the tables as they are by then, and not only keys and branches. */
const APART: ReadonlySet<string> = new Set(
  [StateBranched, StateMerged, StateRepaired, StateCompacted].map(({ type }) => type)
)

/** What opens conflicts of synchronisations, decides and closes them. */
const isOfInbox = (category: string, { type }: Event): boolean =>
  category === STATE ? type === StateSynced.type : category === SYNC || category === CONFLICT

const isApart = (type: string): boolean => APART.has(type)

/** Folds one batch: stretches of events that can be folded in memory, and between them what needs the tables as they are by then. */
class StatesFold {
  private readonly states: StateTables
  private readonly origins: BranchOrigins
  private readonly repairs: BranchRepair
  private stretch: Array<Event> = []
  private tags: Array<Event> = []
  private merges: Array<Event> = []
  private leftovers: Array<Event> = []
  private inbox: Array<Event> = []
  private readonly syncs: SyncFold

  constructor(tables: FoldTables) {
    this.states = new StateTables(tables)
    this.origins = new BranchOrigins(this.states)
    this.syncs = new SyncFold(this.states)
    this.repairs = new BranchRepair(this.states, this.origins, this.syncs)
  }

  readonly fold = Effect.fnUntraced(
    { self: this },
    function* (events: ReadonlyArray<Event>): Effect.fn.Return<void, PostgresError | FoldFailed> {
      for (const event of events) {
        const category = categoryOf(event.stream)
        if (isOfInbox(category, event)) this.inbox.push(event)
        if (category !== STATE) this.apartFromBranches(category)?.push(event)
        else if (!isApart(event.type)) this.stretch.push(event)
        else yield* this.apart(event)
      }
      yield* this.flush
      yield* this.flushOthers
    }
  )

  private readonly apart = Effect.fnUntraced({ self: this }, function* (event: Event) {
    if (event.type === StateMerged.type) {
      // It may be in the same batch that somebody was to decide about it first.
      yield* this.flushOthers
      this.stretch.push(event)
      yield* this.flush
      return yield* this.origins.meet(event)
    }
    yield* this.flush
    if (event.type === StateBranched.type) return yield* this.origins.branch(event)
    yield* this.flushOthers
    if (event.type === StateRepaired.type) return yield* this.repairs.repair(event)
    yield* this.origins.compact(event)
  })

  /** Where events of streams that are no branches wait; those of definitions are of no interest. */
  private apartFromBranches(category: string): Array<Event> | undefined {
    if (category === TAG) return this.tags
    if (category === SYNC) return this.leftovers
    return category === MERGE ? this.merges : undefined
  }

  /** Folds what there is of events that need nothing but keys and branches, and writes it. */
  private readonly flush: Folding = Effect.suspend(() => {
    const events = this.stretch
    this.stretch = []
    if (events.length === 0) return Effect.void
    const synced = events.filter(({ type }) => type === StateSynced.type)
    const folded = Effect.andThen(this.foldStretch(events), this.states.write)
    return synced.length === 0 ? folded : Effect.andThen(folded, this.syncs.synced(synced))
  })

  private readonly flushOthers: Folding = Effect.suspend(() => {
    const { tags, merges, leftovers, inbox } = this
    const { tables } = this.states
    this.tags = []
    this.merges = []
    this.leftovers = []
    this.inbox = []
    return Effect.all(
      [
        tags.length === 0 ? Effect.void : foldTags(tables, tags),
        foldMerges(tables, merges),
        this.syncs.left(leftovers),
        foldInbox(tables, inbox)
      ],
      { discard: true }
    )
  })

  private readonly foldStretch = Effect.fnUntraced({ self: this }, function* (events: ReadonlyArray<Event>) {
    const { set, tables } = this.states
    const secrets = yield* this.states.loadBranches(new Set(events.map(({ stream }) => stream)))
    yield* this.states.loadKeys(events)
    yield* tables.attempt(() => {
      for (const event of events) {
        if (event.type === StateCreated.type)
          set.changed(createdBranch(event, secrets.get(refOfStream(event.stream).agent)))
        const branch = set.branches.get(event.stream)
        // What somebody else has put into such a stream begins no branch.
        if (branch?.deleted_at === null) foldBranchEvent(set, branch, event)
      }
    })
  })
}

/** The read model's fold. */
export const statesModel = batches((events, tables) => new StatesFold(tables).fold(events), {
  byIndex: true
})
