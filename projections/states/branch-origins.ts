import { Effect } from "effect"
import type { Event, Meta } from "../../src/log/event.ts"
import { hashOfText, hashText } from "../../src/state/branch/hash.ts"
import { refOfStream } from "../../src/state/name.ts"
import type { Fault, Node } from "../../src/state/store.ts"
import { keyId, type Tier } from "../../src/state/tier.ts"
import { foldBranchEvent, isAtFault } from "./branch-fold.ts"
import type { Folding, StateTables } from "./state-tables.ts"

/** A branch that inherits from as many others gets keys of its own for all that it has from them. */
const MOST_ANCESTORS = 16

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

interface BranchedData {
  readonly parent: Node
  readonly hash: string
  readonly description?: string
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

const isPassedOver = (faults: ReadonlyArray<Fault>, version: number): boolean =>
  faults.some((fault) => fault.version <= version && version < fault.repaired!)

/** How branches begin, meet, and are made anew: what needs the tables as they are by then. */
export class BranchOrigins {
  private readonly states: StateTables

  constructor(states: StateTables) {
    this.states = states
  }

  /** From a merge on, a branch knows what the other one had. */
  meet({ stream, version, data }: Event): Folding {
    const branch = this.states.set.branches.get(stream)
    if (branch === undefined) return Effect.void
    const { source } = data as { readonly source: Node }
    return this.savePoint(branch.branch, version, source)
  }

  readonly branch = Effect.fnUntraced({ self: this }, function* (event: Event) {
    const { stream, position, version, data } = event
    const { parent, hash, description = null } = data as BranchedData
    const { agent, ref } = refOfStream(stream)
    const [made] = yield* this.states.tables.query<{ depth: number }>(
      "#projections/states/save-branched.sql",
      [
        position,
        agent,
        ref,
        stream,
        version,
        parent.branch,
        parent.version,
        hash,
        description,
        event.recordedAt
      ]
    )
    this.states.set.forget()
    yield* this.savePoint(position, version, parent)
    if (made !== undefined && made.depth > MOST_ANCESTORS) yield* this.flatten(stream, position, version)
  })

  /** Gives a branch keys of its own for all that it has from those before it. */
  private readonly flatten = Effect.fnUntraced(
    { self: this },
    function* (stream: string, branch: number, version: number) {
      const { tables, set } = this.states
      yield* this.states.loadBranches(new Set([stream]))
      const found = yield* tables.query<{ tier: Tier; key: string }>(
        "#projections/states/fold-inherited.sql",
        [branch]
      )
      const keys = found.map(({ tier, key }) => keyId(tier, key))
      yield* this.states.load(keys.map((key) => [branch, key] as const))
      yield* tables.attempt(() => {
        for (const key of keys) set.change(branch, key, set.key(branch, key), version, 0)
      })
      yield* this.states.write
      yield* tables.query("#projections/states/flatten.sql", [branch])
      set.forget()
    }
  )

  /** Lets go of values of old versions. */
  readonly compact = Effect.fnUntraced(
    { self: this },
    function* ({ stream, version, position, data }: Event) {
      const { set, tables } = this.states
      yield* this.states.loadBranches(new Set([stream]))
      const branch = set.branches.get(stream)
      if (branch === undefined || branch.deleted_at !== null || isAtFault(branch)) return
      const { before } = data as { readonly before: number }
      const found = yield* tables.query<{ tier: string; key: string; version: string }>(
        "#projections/states/compactable.sql",
        [branch.branch, before]
      )
      yield* tables.query("#projections/states/let-go.sql", [
        branch.branch,
        found.map(({ tier }) => tier),
        found.map(({ key }) => key),
        found.map((one) => one.version)
      ])
      Object.assign(branch, { version, position })
      set.changed(branch)
      yield* this.states.write
    }
  )

  /** Makes a branch anew from the log, up to its last good version. */
  readonly repair = Effect.fnUntraced({ self: this }, function* (event: Event) {
    const { set, tables } = this.states
    yield* this.states.loadBranches(new Set([event.stream]))
    const branch = set.branches.get(event.stream)
    if (branch === undefined) return
    const { good, hash } = event.data as { readonly good: number; readonly hash: string }
    const passed = branch.faults.filter(({ repaired }) => repaired !== null)
    const [reset] = yield* tables.query<{ hash: string }>("#projections/states/reset-branch.sql", [
      branch.branch
    ])
    set.forget()
    yield* this.states.loadBranches(new Set([event.stream]))
    const anew = set.branches.get(event.stream)!
    anew.hash = hashOfText(reset!.hash)
    anew.faults = passed
    // A branch `main` begins with what its first event says, any other with what its parent had.
    for (let after = branch.parent === null ? branch.born - 1 : branch.born; after < good;) {
      const events = yield* tables.query<EventRow>("#projections/states/fold-stream.sql", [
        event.stream,
        after,
        good
      ])
      if (events.length === 0) break
      const sound = events.map(eventOf).filter(({ version }) => !isPassedOver(passed, version))
      yield* this.states.loadKeys(sound)
      yield* tables.attempt(() => {
        for (const one of sound) foldBranchEvent(set, anew, one)
      })
      yield* this.states.write
      after = Number(events.at(-1)!.version)
    }
    const isSound = anew.faults.every(({ repaired }) => repaired !== null) && hashText(anew.hash) === hash
    anew.faults = branch.faults.map((fault) =>
      fault.repaired === null && isSound ? { ...fault, repaired: event.version } : fault
    )
    if (isSound) Object.assign(anew, { version: event.version, position: event.position })
    set.changed(anew)
    yield* this.states.write
  })

  private savePoint(branch: number, version: number, other: Node): Folding {
    const values = [branch, version, other.branch, other.version]
    return Effect.asVoid(this.states.tables.query("#projections/states/save-point.sql", values))
  }
}
