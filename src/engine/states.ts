import type { Effect } from "effect"
import { type AgentState, agentState } from "../state/agent-state.ts"
import type { StateOptions, States } from "../state/states.ts"

/** Methods that return promises. */
type Promised<Methods> = {
  readonly [Name in keyof Methods]: Methods[Name] extends (
    ...given: infer Given
  ) => Effect.Effect<infer Output, infer _Error>
    ? (...given: Given) => Promise<Output>
    : Methods[Name]
}

/** A branch of an agent's state, as promises. */
export interface EngineState extends Promised<AgentState> {
  readonly agent: string
  readonly branchName: string
  /** Another branch of the same agent's state. */
  readonly on: (branch: string) => EngineState
}

type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

const promised = <Methods extends object>(methods: Methods, run: Run): Promised<Methods> =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      (...given: ReadonlyArray<unknown>) =>
        run((method as (...all: ReadonlyArray<unknown>) => Effect.Effect<unknown>)(...given))
    ])
  ) as Promised<Methods>

export const promisedState = (
  states: States["Service"],
  run: Run,
  agent: string,
  options: StateOptions = {}
): EngineState => ({
  ...promised(agentState(states.scene(agent, options)), run),
  agent,
  branchName: options.branch ?? "main",
  on: (branch) => promisedState(states, run, agent, { ...options, branch })
})
