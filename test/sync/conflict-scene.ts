import type { EngineState, InboxEntry, StateUpdate, SyncOptions } from "../../src/state.ts"
import { eventsOf, type TestLog } from "../log/test-log.ts"

/** Two agents, the values that both have of `/shared`, and what keeps them apart. */
export interface Couple {
  readonly a: EngineState
  readonly b: EngineState
}

type Shared = NonNullable<StateUpdate["shared"]>

/** Agents whose states conflict, and their inbox. */
export const conflictScene = (log: TestLog, name: string) => {
  let made = 0
  const fresh = (type?: string): EngineState =>
    log.engine.state(`${name}-${(made += 1)}`, type === undefined ? {} : { type })

  /** Both have the first values; then each goes on alone. */
  const apart = async (base: Shared, theirs: Shared, ours: Shared, type?: string): Promise<Couple> => {
    const [a, b] = [fresh(type), fresh(type)]
    await a.update({ shared: base })
    await b.update({ local: { own: true } })
    await sync({ a, b })
    await a.update({ shared: theirs }, { actor: "ann", reason: "it is late" })
    await b.update({ shared: ours }, { actor: "bob", reason: "it is early" })
    return { a, b }
  }

  const sync = async ({ a, b }: Couple, options: Partial<SyncOptions> = {}) => {
    const given = { keys: ["/shared/**"], ...options, from: a.agent, to: [b.agent] }
    const { targets } = await log.engine.sync(given)
    return targets[0]!
  }

  const inbox = ({ a }: Couple, options: object = {}): Promise<ReadonlyArray<InboxEntry>> =>
    log.engine.conflicts.list({ agent: a.agent, ...options })

  /** Both, after a synchronisation that has left one conflict. */
  const conflict = async (
    { base = "x", theirs = "y", ours = "z" }: { base?: unknown; theirs?: unknown; ours?: unknown } = {},
    type?: string
  ) => {
    const of = (mode: unknown) => ({ mode }) as Shared
    const couple = await apart(of(base), of(theirs), of(ours), type)
    await sync(couple)
    const [entry] = await inbox(couple)
    return { ...couple, entry: entry! }
  }

  const shared = async (state: EngineState) => (await state.read()).shared
  const noted = (id: string) => eventsOf(log.engine, `stateconflict-${id}`)
  return { fresh, apart, sync, inbox, conflict, shared, noted }
}

/** What was refused with. */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
