import { Effect } from "effect"
import type { Event, Meta } from "../../src/log/event.ts"
import { faultAtFork } from "../../src/state/branch/fault.ts"
import { hashOfText, hashText } from "../../src/state/branch/hash.ts"
import { StateMerged, StateSynced } from "../../src/state/event.ts"
import type { Fault } from "../../src/state/store.ts"
import { faultOf, foldBranchEvent, isAtFault } from "./branch-fold.ts"
import { type BranchOrigins, disinherit } from "./branch-origins.ts"
import type { Folding, StateTables } from "./state-tables.ts"
import type { SyncFold } from "./sync-fold.ts"
import type { FoldedBranch } from "./working-set.ts"

interface EventRow {
  readonly position: string
  readonly id: string
  readonly stream: string
  readonly version: string
  readonly type: string
  readonly data: unknown
  readonly meta: Meta
  readonly recorded_at: Date
}

interface RepairedData {
  readonly bad?: number
  readonly good: number
  readonly hash: string
}

const eventOf = (row: EventRow): Event => ({
  position: Number(row.position),
  id: row.id,
  stream: row.stream,
  version: Number(row.version),
  type: row.type,
  data: row.data,
  labels: [],
  meta: row.meta,
  recordedAt: row.recorded_at,
  schemaVersion: 1
})

interface HeirRow {
  readonly branch: number
  readonly since: number
  readonly born: number
  readonly ends: number
  /** What it begins with. */
  readonly parent: number
  readonly forked: number
}

const beginsDamaged = ({ parent, born, faults }: FoldedBranch): boolean =>
  parent !== null && faults.some(({ version }) => version === born)

const isPassedOver = (faults: ReadonlyArray<Fault>, version: number): boolean =>
  faults.some((fault) => fault.version <= version && version < fault.repaired!)

/** How branches are made anew. */
export class BranchRepair {
  private readonly states: StateTables
  private readonly origins: BranchOrigins
  private readonly syncs: SyncFold

  constructor(states: StateTables, origins: BranchOrigins, syncs: SyncFold) {
    this.states = states
    this.origins = origins
    this.syncs = syncs
  }

  /**
   * Makes a branch anew from the log, up to its last good version. What it was found to be until now does not matter, so that it comes
   * to the same where it is folded after the log was damaged, and where before.
   */
  readonly repair = Effect.fnUntraced({ self: this }, function* (event: Event) {
    const { set, tables } = this.states
    yield* this.states.loadBranches(new Set([event.stream]))
    const branch = set.branches.get(event.stream)
    if (branch === undefined || branch.deleted_at !== null) return
    // It begins with a damaged version: there is nothing to go on from.
    if (beginsDamaged(branch)) return
    const { good, bad, hash } = event.data as RepairedData
    // Those that come later are in what is passed over now.
    const passed = branch.faults.filter(({ version, repaired }) => repaired !== null && version <= good)
    const [reset] = yield* tables.query<{ hash: string }>("#projections/states/reset-branch.sql", [
      branch.branch,
      good,
      event.version
    ])
    set.forget()
    yield* this.states.loadBranches(new Set([event.stream]))
    const anew = set.branches.get(event.stream)!
    anew.hash = hashOfText(reset!.hash)
    anew.faults = passed
    yield* this.foldUpTo(anew, good)
    const isSound = !isAtFault(anew) && hashText(anew.hash) === hash
    if (bad !== undefined || !isSound) {
      const fault = yield* this.fault(anew, event, isSound)
      anew.faults = [...anew.faults.filter(({ repaired }) => repaired !== null), fault]
    }
    if (isSound) Object.assign(anew, { version: event.version, position: event.position })
    anew.changed_at = event.recordedAt.toISOString()
    set.changed(anew)
    yield* this.states.write
    yield* this.disinherit(anew, event)
  })

  /** What began with a version that does not count any more is damaged, and so is what began with one of that. */
  private readonly disinherit = Effect.fnUntraced(
    { self: this },
    function* ({ branch, name, faults }: FoldedBranch, event: Event) {
      const { good } = event.data as RepairedData
      const { set, tables } = this.states
      const fault = faults.find(({ version, repaired }) => version > good || repaired === null)
      if (fault === undefined) return
      const values = [branch, Math.min(good, fault.version - 1), event.version]
      const heirs = yield* tables.query<HeirRow>("#projections/states/heirs.sql", values)
      for (const { branch: position, since: from, born: version, ends, parent, forked } of heirs) {
        // Also what it had at its very beginning may be of what is passed over now: its session, and what it knew of others.
        const anew = [position, version - 1, ends]
        const [reset] = yield* tables.query<{ hash: string }>("#projections/states/reset-branch.sql", anew)
        const own = faultAtFork({ version, position }, { parent: name, from, fault })
        yield* disinherit(tables, position, own, reset!.hash)
        yield* this.origins.savePoint(position, version, { branch: parent, version: forked })
      }
      set.forget()
    }
  )

  private readonly foldUpTo = Effect.fnUntraced({ self: this }, function* (anew: FoldedBranch, good: number) {
    const { set, tables } = this.states
    const passed = anew.faults
    // A branch `main` begins with what its first event says, any other with what its parent had.
    for (let after = anew.parent === null ? anew.born - 1 : anew.born; after < good;) {
      const events = yield* this.events(anew.stream, after, good)
      if (events.length === 0) break
      const sound = events.filter(({ version }) => !isPassedOver(passed, version))
      yield* this.states.loadKeys(sound)
      yield* tables.attempt(() => {
        for (const one of sound) foldBranchEvent(set, anew, one)
      })
      yield* this.states.write
      for (const one of sound) if (one.type === StateMerged.type) yield* this.origins.meet(one)
      yield* this.syncs.synced(sound.filter(({ type }) => type === StateSynced.type))
      after = events.at(-1)!.version
    }
  })

  /** What is damaged: what was found up to the good version, or what the repair names. */
  private readonly fault = Effect.fnUntraced(
    { self: this },
    function* (anew: FoldedBranch, event: Event, isSound: boolean) {
      const { good, bad = event.version } = event.data as RepairedData
      const found = anew.faults.find(({ repaired }) => repaired === null)
      if (found !== undefined) return found
      const [first = event] = yield* this.events(anew.stream, bad - 1, bad)
      yield* this.states.loadKeys([first])
      const { position, version } = first
      const detail = faultOf(this.states.set, anew, first) ?? "it was damaged when that was repaired"
      return { version, position, detail, good, repaired: isSound ? event.version : null }
    }
  )

  private events(stream: string, after: number, upTo: number): Folding<ReadonlyArray<Event>> {
    const values = [stream, after, upTo]
    return Effect.map(
      this.states.tables.query<EventRow>("#projections/states/fold-stream.sql", values),
      (rows) => rows.map(eventOf)
    )
  }
}
