import { InvalidName } from "../log/error.ts"

/** The branch that every agent has. */
export const MAIN = "main"

/** Categories of the streams that state is written in. */
export const STATE = "state"
export const TAG = "statetag"
export const MERGE = "statemerge"
export const DEFINITION = "statedefinition"
export const SYNC = "statesync"
export const CONFLICT = "stateconflict"

/** So that `agent:<id>` is a label. */
export const MAX_AGENT_LENGTH = 122
export const MAX_REF_LENGTH = 64

const AGENT = /^[\x21-\x7e]{1,122}$/
const REF = /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,63}$/

/** Why an agent cannot be called so, or undefined. */
export const agentProblem = (agent: unknown): InvalidName | undefined =>
  typeof agent === "string" && AGENT.test(agent)
    ? undefined
    : new InvalidName({
        what: "agent",
        given: String(agent),
        rule: `an agent with a state is called by 1–${MAX_AGENT_LENGTH} visible ASCII characters`
      })

/** Why a branch or a tag cannot be called so, or undefined. */
export const refProblem = (what: "branch" | "tag", name: unknown): InvalidName | undefined =>
  typeof name === "string" && REF.test(name)
    ? undefined
    : new InvalidName({
        what,
        given: String(name),
        rule: `a ${what} is called by a letter, digit or _ and up to ${MAX_REF_LENGTH - 1} of A–Z a–z 0–9 . _ / -`
      })

/** The stream of a branch. Names of branches have no "@", so the first one ends them. */
export const branchStream = (agent: string, branch: string): string => `${STATE}-${branch}@${agent}`

export const tagStream = (agent: string, tag: string): string => `${TAG}-${tag}@${agent}`

export const mergeStream = (merge: string): string => `${MERGE}-${merge}`

/** The stream of what one synchronisation has left undone. */
export const syncStream = (sync: string): string => `${SYNC}-${sync}`

/** The stream of what was decided about one conflict. */
export const conflictStream = (conflict: string): string => `${CONFLICT}-${conflict}`

export const definitionStream = (scope: string): string => `${DEFINITION}-${scope}`

/** Of an agent, and of one of its branches or tags. */
export interface RefPlace {
  readonly agent: string
  readonly ref: string
}

/** The agent and the branch, or tag, of a stream of theirs. */
export const refOfStream = (stream: string): RefPlace => {
  const id = stream.slice(stream.indexOf("-") + 1)
  const at = id.indexOf("@")
  return { ref: id.slice(0, at), agent: id.slice(at + 1) }
}

/** The label by which everything of an agent is found. */
export const agentLabel = (agent: string): string => `agent:${agent}`
