import { Effect } from "effect"
import type { Event } from "../../src/log/event.ts"
import type { FoldTables } from "../../src/projection/definition.ts"
import { refOfStream } from "../../src/state/name.ts"
import { faultAt, faultAtFork } from "../../src/state/branch/fault.ts"
import type { Fault, Node } from "../../src/state/store.ts"
import { keyId, type Tier } from "../../src/state/tier.ts"
import { isAtFault } from "./branch-fold.ts"
import type { Folding, StateTables } from "./state-tables.ts"

/** A branch that inherits from as many others gets keys of its own for all that it has from them. */
const MOST_ANCESTORS = 16

/** What is told of a branch that was made: how many it inherits from, and what its parent is. */
interface MadeRow {
  readonly depth: number
  readonly name: string
  readonly parent: number | null
  readonly born: number
  readonly faults: ReadonlyArray<Fault>
}

interface BranchedData {
  readonly parent: Node
  readonly hash: string
  readonly description?: string
}

/** Nothing counts of a branch that begins with a damaged version. */
export const disinherit = (tables: FoldTables, branch: number, fault: Fault, hash: string): Folding =>
  Effect.asVoid(tables.query("#projections/states/disinherit.sql", [branch, JSON.stringify(fault), hash]))

/** How branches begin, meet, and let go of old values: what needs the tables as they are by then. */
export class BranchOrigins {
  private readonly states: StateTables

  constructor(states: StateTables) {
    this.states = states
  }

  /** From a merge on, a branch knows what the other one had. */
  meet({ stream, version, data }: Event): Folding {
    const branch = this.states.set.branches.get(stream)
    // One that is damaged before has met nobody.
    if (branch === undefined || branch.version < version) return Effect.void
    const { source } = data as { readonly source: Node }
    return this.savePoint(branch.branch, version, source)
  }

  readonly branch = Effect.fnUntraced({ self: this }, function* (event: Event) {
    const { stream, position, version, data } = event
    const { parent, hash, description = null } = data as BranchedData
    const { agent, ref } = refOfStream(stream)
    const [made] = yield* this.states.tables.query<MadeRow>("#projections/states/save-branched.sql", [
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
    ])
    this.states.set.forget()
    yield* this.savePoint(position, version, parent)
    if (made === undefined) return
    const fault = faultAt(made.faults, parent.version)
    if (fault !== undefined) yield* this.disinherit(event, parent.version, made, fault)
    else if (made.depth > MOST_ANCESTORS) yield* this.flatten(stream, position, version)
  })

  /** A branch that begins with a damaged version. */
  private disinherit(event: Event, from: number, parent: MadeRow, fault: Fault): Folding {
    const isInherited = parent.parent !== null && fault.version === parent.born
    const own = faultAtFork(event, { parent: parent.name, from, fault })
    return disinherit(
      this.states.tables,
      event.position,
      isInherited ? { ...own, detail: fault.detail } : own,
      (event.data as BranchedData).hash
    )
  }

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

  savePoint(branch: number, version: number, other: Node): Folding {
    const values = [branch, version, other.branch, other.version]
    return Effect.asVoid(this.states.tables.query("#projections/states/save-point.sql", values))
  }
}
