import type { Engine } from "../../../src/index.ts"
import type { ModelAgent } from "./model.ts"
import { BRANCHES, type Reference, TAGS } from "./programs.ts"
import type { Scene } from "./scene.ts"
import { lineOf, type Version } from "./version.ts"

export type State = ReturnType<Engine["state"]>

/** Where a step is done: on which branch of which agent, by which engine. */
export interface Place {
  readonly engine: Engine
  readonly agent: ModelAgent
  readonly name: string
  readonly state: State
}

/** Most often a branch that is there. */
export const nameOf = ({ branches }: ModelAgent, nth: number): string => {
  const live = branches.filter(({ isLive }) => isLive)
  return live.length === 0 || nth % 12 === 0
    ? BRANCHES[nth % BRANCHES.length]!
    : live[nth % live.length]!.name
}

export interface NamedBy {
  readonly version?: number
  readonly commit?: string
  readonly tag?: string
  readonly token?: string
}

/** How a version is asked for, and which one it is; or why there is none. */
export interface Found {
  readonly like: NamedBy
  readonly version?: Version
  /** `empty`: a state that nobody wrote. */
  readonly refusal?: string
}

const found = (like: NamedBy, version: Version | undefined): Found =>
  version === undefined ? { like, refusal: "UnknownRef" } : { like, version }

const oneOf = <A>(all: ReadonlyArray<A>, nth: number): A | undefined => all[nth % Math.max(1, all.length)]

/** A version that an engine has returned a token of; now and then another agent's. */
export const tokened = ({ tokens }: Scene, agent: ModelAgent, nth: number): Found | undefined => {
  const known = [...tokens].filter(([{ branch }]) => nth % 10 === 0 || branch.agent === agent.agent)
  const [version, token] = oneOf(known, nth) ?? []
  if (version === undefined) return undefined
  return found({ token: token! }, version.branch.agent === agent.agent ? version : undefined)
}

/** A version that whoever writes a branch may have read; now and then any other. */
export const seen = (
  scene: Scene,
  { agent, name }: Pick<Place, "agent" | "name">,
  nth: number
): Found | undefined => {
  const head = agent.live(name)?.head
  const line = head === undefined ? [] : lineOf(head).filter((version) => scene.tokens.has(version))
  const version = nth % 8 === 0 ? undefined : oneOf(line, nth)
  return version === undefined
    ? tokened(scene, agent, nth)
    : found({ token: scene.tokens.get(version)! }, version)
}

export const find = (scene: Scene, { agent, name }: Place, { by, nth }: Reference): Found => {
  switch (by) {
    case "version": {
      const version = 1 + (nth % (agent.reach(name) + 1))
      return found({ version }, agent.find(name, version))
    }
    case "commit": {
      const commits = agent.versions.filter(({ type }) => type === "StateCommitted")
      const commit = oneOf(commits, nth)
      return found({ commit: commit === undefined ? crypto.randomUUID() : scene.ids.get(commit)! }, commit)
    }
    case "tag": {
      const tag = TAGS[nth % TAGS.length]!
      return found({ tag }, agent.tags.get(tag))
    }
    case "token":
      return tokened(scene, agent, nth) ?? newest(agent, name)
    case "newest":
      return newest(agent, name)
  }
}

const newest = (agent: ModelAgent, name: string): Found => {
  const live = agent.live(name)
  if (live !== undefined) return { like: {}, version: live.head }
  return { like: {}, refusal: name === "main" ? "empty" : "UnknownBranch" }
}
