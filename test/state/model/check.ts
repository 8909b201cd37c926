import type { Engine } from "../../../src/index.ts"
import type { Snapshot } from "../../../src/state/past/snapshot.ts"
import type { TestDatabase } from "../../support/database.ts"
import type { Random } from "../../support/random.ts"
import { agree, agreeIn, refusedBy } from "./agreement.ts"
import { copyOf, docOf, emptyDoc, type Doc, hashOf, isSame, keysOf, pointerOf } from "./document.ts"
import type { ModelAgent } from "./model.ts"
import { type Operation, patched } from "./patch.ts"
import { BRANCHES } from "./programs.ts"
import { lineOf, type Version } from "./version.ts"

const PAIRS = 3

const byText = (one: string, other: string): number => (one < other ? -1 : 1)

/** Compares what an engine reads of an agent's state with what the model has. */
export class Check {
  private readonly engine: Engine
  private readonly agent: ModelAgent
  private readonly secret: Buffer | undefined

  private constructor(engine: Engine, agent: ModelAgent, secret: Buffer | undefined) {
    this.engine = engine
    this.agent = agent
    this.secret = secret
  }

  static async of(engine: Engine, db: TestDatabase, agent: ModelAgent): Promise<Check> {
    const rows = await db.query<{ secret: Buffer }>(
      "select secret from tidemark.agent_secrets where agent = $1",
      [agent.agent]
    )
    return new Check(engine, agent, rows[0]?.secret)
  }

  private state(branch = "main") {
    return this.engine.state(this.agent.agent).on(branch)
  }

  private hash(doc: Doc): string {
    return this.secret === undefined ? "0".repeat(64) : hashOf(doc, this.secret)
  }

  private same(read: Snapshot, { doc, version }: Version): void {
    agree(docOf(read), doc)
    agreeIn(read, { hash: this.hash(doc), version })
  }

  private get live() {
    return this.agent.branches.filter(({ isLive }) => isLive)
  }

  /** Every branch as it is now, and every name by which a version can be asked for. */
  async heads(): Promise<void> {
    const { agent } = this
    for (const name of BRANCHES) {
      const branch = agent.live(name)
      const read = this.state(name).read()
      if (branch !== undefined) this.same(await read, branch.head)
      else if (name === "main") agree(docOf(await read), emptyDoc())
      else await refusedBy("UnknownBranch", read)
    }
    for (const [tag, version] of agent.tags) this.same(await this.state().read({ tag }), version)
    const branches = await this.state().branches()
    const wanted = this.live.map(({ name, head }) => [name, head.version, this.hash(head.doc)])
    agree(
      branches.map(({ branch, version, hash }) => [branch, version, hash]),
      wanted.toSorted(([a], [b]) => byText(String(a), String(b)))
    )
    const tags = (await this.state().tags()).map(({ tag, branch, version }) => [tag, branch, version])
    agree(
      tags,
      [...agent.tags]
        .map(([tag, { branch, version }]) => [tag, branch.name, version])
        .toSorted(([a], [b]) => byText(String(a), String(b)))
    )
  }

  /** Every version that ever was, by its number or by the position of its event. */
  async versions(): Promise<void> {
    const positions = new Map<string, number>()
    for (const name of BRANCHES) {
      let last = 0
      for await (const event of this.engine.read(`state-${name}@${this.agent.agent}`)) {
        positions.set(`${name} ${event.version}`, event.position)
        last = event.version
      }
      agree(last, this.agent.reach(name))
    }
    const check = async (one: Version, nth: number) => {
      const { branch, version } = one
      const position = positions.get(`${branch.name} ${version}`)!
      const read = this.state(branch.name).read(nth % 2 === 0 ? { version } : { position })
      // The end of a branch is a version of it, and from there on there is none.
      if (nth % 2 === 1 && one.type === "StateBranchDeleted") await refusedBy("UnknownRef", read)
      else this.same(await read, one)
    }
    await Promise.all(this.agent.versions.map(check))
  }

  /** What led to every branch; who changed what; and that all of it replays to the recorded hashes. */
  async histories(): Promise<void> {
    for (const { name, head } of this.live) {
      const line = lineOf(head)
      const history = await this.state(name).history({ limit: 1_000 })
      agree(
        history.map(({ changed, ...entry }) => told({ ...entry, changed: changed.toSorted() })),
        line.map(modelled)
      )
      const check = async (pointer: string) => {
        const last = line.find(({ changed }) => changed.includes(pointer))!
        const [blame] = await this.state(name).blame(pointer)
        agree([blame!.branch, blame!.version], [last.branch.name, last.version])
      }
      await Promise.all(keysOf(head.doc).map(pointerOf).map(check))
      const verified = await this.state(name).verify()
      agreeIn(verified, { isSound: true, stale: [], version: head.version })
    }
  }

  /** What lies between any two versions, as a patch that makes one of the other. */
  async differences({ oneOf }: Random): Promise<void> {
    const { versions } = this.agent
    if (versions.length === 0) return
    const check = async ([one, other]: readonly [Version, Version]) => {
      const [from, to] = [one, other].map(({ branch, version }) => ({ branch: branch.name, version }))
      const patch = await this.state().diff(from!, to!, { format: "patch" })
      agree(patched(copyOf(one.doc), patch as ReadonlyArray<Operation>), other.doc)
      agree(patch.length === 0, isSame(one.doc, other.doc))
      agree((await this.state().diff(from!, to!)).length, patch.length)
    }
    const pairs = Array.from({ length: PAIRS }, () => [oneOf(versions), oneOf(versions)] as const)
    await Promise.all(pairs.map(check))
  }
}

interface Told {
  readonly branch: string
  readonly version: number
  readonly type: string
  readonly message: string | undefined
  readonly changed: ReadonlyArray<string>
  readonly source: { readonly branch: string; readonly version: number } | undefined
}

const told = ({ branch, version, type, message, changed, source }: Told): Told => ({
  branch,
  version,
  type,
  message,
  changed,
  source
})

const modelled = ({ branch, source, message, ...version }: Version): Told =>
  told({
    ...version,
    message,
    branch: branch.name,
    source: source && { branch: source.branch.name, version: source.version }
  })
