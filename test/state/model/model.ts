import type { Rule } from "../../../src/state/merge/rule.ts"
import { type Answer, DONE, refused, settledKeys } from "./answer.ts"
import { isAncestor, rebasedKeys } from "./dag.ts"
import {
  at,
  changedBetween,
  copyOf,
  type Doc,
  emptyDoc,
  type Key,
  keysOf,
  mergePatch,
  type Tier,
  type Value,
  withKeys
} from "./document.ts"
import { type Operation, patched } from "./patch.ts"
import type { ModelBranch, Version } from "./version.ts"

export type Update = { readonly [T in Tier]?: { readonly [key: string]: Value } }

/** What a write makes of a state. */
interface Written {
  readonly doc: Doc
  readonly type: string
  /** Also where nothing changes. */
  readonly always?: boolean
  readonly more?: Partial<Version>
}

let orders = 0

/** The state of one agent with everything that it ever was: a full copy of each version, and nothing shared. */
export class ModelAgent {
  readonly agent: string
  readonly rules: ReadonlyArray<Rule>
  readonly branches: Array<ModelBranch> = []
  readonly tags = new Map<string, Version>()
  private readonly reached = new Map<string, number>()

  constructor(agent: string, rules: ReadonlyArray<Rule> = []) {
    this.agent = agent
    this.rules = rules
  }

  live(name: string): ModelBranch | undefined {
    return this.branches.findLast((branch) => branch.name === name && branch.isLive)
  }

  /** How far the versions of a name go: of all branches that were called so. */
  reach(name: string): number {
    return this.reached.get(name) ?? 0
  }

  find(name: string, version: number): Version | undefined {
    const branch = this.branches.find((one) => one.name === name && one.versions.has(version))
    return branch?.versions.get(version)
  }

  get versions(): ReadonlyArray<Version> {
    return this.branches.flatMap((branch) => [...branch.versions.values()])
  }

  update(name: string, update: Update, base?: Version): Answer {
    const keys = Object.entries(update).flatMap(([tier, values]) =>
      Object.keys(values).map((key): Key => [tier as Tier, key])
    )
    return this.change(name, base, (doc) => {
      const values = keys.map((key) => {
        const patch = update[key[0]]![key[1]]!
        return [key, patch === null ? undefined : mergePatch(at(doc, key), patch)] as const
      })
      return withKeys(doc, values)
    })
  }

  patch(name: string, operations: ReadonlyArray<Operation>, base?: Version): Answer {
    return this.change(name, base, (doc) => patched(doc, operations))
  }

  private change(name: string, base: Version | undefined, changing: (doc: Doc) => Doc | string): Answer {
    return this.write(name, (head) => {
      const wanted = changing(base?.doc ?? head)
      if (typeof wanted === "string") return refused(wanted)
      if (base === undefined) return { doc: wanted, type: "StateChanged" }
      if (!isAncestor(base, this.live(name)!.head)) return refused("InvalidArgument")
      const merged = rebasedKeys(base.doc, wanted, head, this.rules)
      const { values, conflicts } = settledKeys(merged, "merge", this.rules)
      if (conflicts.length > 0) return refused("StateConflict", conflicts)
      return { doc: withKeys(head, values), type: "StateChanged" }
    })
  }

  /** The next version, which changes nothing. */
  note(name: string, type: string, more: Partial<Version> = {}): Answer {
    return this.write(name, (head) => ({ doc: head, type, always: true, more }))
  }

  branch(to: string, from: Version): Answer {
    if (to === "main" || this.live(to) !== undefined) return refused("BranchExists")
    const { session } = from.branch
    this.begin(
      to,
      from,
      { doc: from.doc, type: "StateBranched", more: { parents: [from], source: from } },
      session
    )
    return DONE
  }

  deleteBranch(name: string): Answer {
    if (name === "main") return refused("BranchProtected")
    const answer = this.note(name, "StateBranchDeleted")
    if (answer.tag === "refused") return answer
    this.live(name)!.isLive = false
    return DONE
  }

  startSession(name: string, session: string): Answer {
    return this.turn(name, session, "StateSessionStarted")
  }

  endSession(name: string): Answer {
    const { session } = this.live(name) ?? {}
    if (session !== undefined) return this.turn(name, undefined, "StateSessionEnded")
    return this.write(name, (head) => ({ doc: head, type: "StateSessionEnded" }))
  }

  private turn(name: string, session: string | undefined, type: string): Answer {
    const answer = this.write(name, (head) => ({ doc: { ...copyOf(head), session: {} }, type, always: true }))
    if (answer.tag === "done") this.live(name)!.session = session
    return answer
  }

  /** The state is again what it was; where `merged`, keys that were not there then stay. */
  restore(name: string, to: Doc, merged: boolean, always = false): Answer {
    return this.write(name, (head) => {
      const kept = keysOf(head).filter((key) => merged && at(to, key) === undefined)
      const doc = withKeys(
        to,
        kept.map((key) => [key, at(head, key)])
      )
      return { doc, type: "StateRestored", always }
    })
  }

  /** The next version of a branch; of `main`, the first one where there is none. */
  write(name: string, working: (head: Doc) => Written | Answer): Answer {
    const live = this.live(name)
    if (live === undefined && name !== "main") return refused("UnknownBranch")
    const worked = working(live?.head.doc ?? emptyDoc())
    if ("tag" in worked) return worked
    const branch = live ?? this.begin(name, undefined, { doc: emptyDoc(), type: "StateCreated" })
    const changed = changedBetween(branch.head.doc, worked.doc)
    if (changed.length > 0 || worked.always === true)
      branch.head = this.next(branch, { changed, parents: [branch.head], ...worked.more }, worked)
    return { tag: "done", version: branch.head.version, changed }
  }

  private begin(name: string, parent: Version | undefined, first: Written, session?: string): ModelBranch {
    const born = this.reach(name) + 1
    const branch = { agent: this.agent, name, born, parent, versions: new Map(), isLive: true, session }
    const made = branch as unknown as ModelBranch
    made.head = this.next(made, { changed: [], parents: [], ...first.more }, first)
    this.branches.push(made)
    return made
  }

  private next(
    branch: ModelBranch,
    more: Partial<Version> & Pick<Version, "changed" | "parents">,
    { doc, type }: Written
  ): Version {
    const version = this.reach(branch.name) + 1
    this.reached.set(branch.name, version)
    const next = { ...more, branch, version, doc: copyOf(doc), order: (orders += 1), type }
    branch.versions.set(version, next)
    return next
  }
}
