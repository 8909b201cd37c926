import type { Engine } from "../../src/index.ts"
import type { Random } from "../support/random.ts"

const TIERS = ["local", "shared", "session", "persistent"] as const

/** Keys that a pointer has to escape, or that an object has by itself, among plain ones. */
const KEYS = ["a", "b", "c", "plan", "", "a/b", "~", "~1", "x y", "é", "constructor"]

const NAMES = ["main", "one", "two", "three/four"]

const LONG = 40

type Step = (at: Walk) => Promise<unknown>

/** Where a history is. */
interface Walk {
  readonly engine: Engine
  readonly agent: string
  readonly random: Random
  /** The branches that are there. */
  readonly live: Set<string>
  readonly checkpoints: Array<string>
}

const pointer = (...parts: ReadonlyArray<string>): string =>
  parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")

const scalar = ({ between, oneOf }: Random): unknown =>
  oneOf([null, true, false, between(-9, 9), 0.1 * between(0, 99), `t${between(0, 99)}`, "", "💧"])

const value = (random: Random, depth = 2): unknown => {
  const { between, chance } = random
  if (depth === 0 || chance(0.4)) return scalar(random)
  const items = Array.from({ length: between(0, 3) }, () => value(random, depth - 1))
  return chance(0.5) ? items : Object.fromEntries(items.map((item, at) => [KEYS[at * 2], item]))
}

const stateOf = ({ engine, agent, random, live }: Walk) =>
  engine.state(agent, { branch: random.oneOf([...live]) })

/** Some of this is refused, since nothing is looked at before: so much the better. */
const STEPS: ReadonlyArray<Step> = [
  (at) => {
    const { random } = at
    const keys = Array.from({ length: random.between(1, 3) }, () => random.oneOf(KEYS))
    const values = Object.fromEntries(keys.map((key) => [key, value(random)]))
    return stateOf(at).update({ [random.oneOf(TIERS)]: values })
  },
  (at) => {
    const path = pointer(at.random.oneOf(TIERS), at.random.oneOf(KEYS))
    return stateOf(at).patch([{ op: "add", path, value: value(at.random) }])
  },
  (at) => stateOf(at).patch([{ op: "remove", path: pointer(at.random.oneOf(TIERS), at.random.oneOf(KEYS)) }]),
  async (at) => {
    const state = stateOf(at)
    const items = Array.from({ length: LONG }, (_, nth) => `item ${nth}`)
    await state.update({ shared: { plan: items }, local: { b: { list: items } } })
    for (let n = 0; n < 6; n++)
      await state.patch([
        { op: "replace", path: `/shared/plan/${at.random.between(0, LONG - 1)}`, value: scalar(at.random) },
        { op: "remove", path: "/local/b/list/0" }
      ])
  },
  (at) => stateOf(at).commit("so far", { author: "ann", actor: "bob", reason: "because" }),
  (at) => stateOf(at).startSession(`s${at.random.between(0, 9)}`),
  (at) => stateOf(at).endSession(),
  async (at) => {
    const { checkpoint } = await stateOf(at).checkpoint()
    at.checkpoints.push(checkpoint)
  },
  async (at) => {
    const { checkpoints, random } = at
    if (checkpoints.length > 0)
      await stateOf(at).restore(random.oneOf(checkpoints), { merge: random.chance(0.5) })
  },
  async (at) => {
    const { random, live } = at
    const name = random.oneOf(NAMES)
    if (live.has(name)) return
    const state = stateOf(at)
    const { version } = await state.read()
    await state.branch(
      name,
      random.chance(0.5) ? { at: random.between(Math.max(1, version - 5), version) } : {}
    )
    live.add(name)
  },
  (at) =>
    stateOf(at).merge(at.random.oneOf([...at.live]), {
      strategy: at.random.oneOf(["merge", "source_wins", "target_wins"])
    }),
  async (at) => {
    const state = stateOf(at)
    const { version } = await state.read()
    await state.revert(at.random.between(1, version))
  },
  async (at) => {
    const { random, live } = at
    const name = random.oneOf(NAMES)
    if (name === "main" || !live.has(name)) return
    await at.engine.state(at.agent).deleteBranch(name)
    live.delete(name)
  }
]

/** What was often done is done often. */
const OFTEN = 3

/** A random history of an agent's state on some branches: their names, those that are live, and its checkpoints. */
export const history = async (engine: Engine, agent: string, random: Random, steps: number) => {
  const at: Walk = { engine, agent, random, live: new Set(["main"]), checkpoints: [] }
  await engine.state(agent).update({ local: { begun: true } })
  const choices = STEPS.flatMap((step, nth) => Array.from({ length: nth < OFTEN ? OFTEN : 1 }, () => step))
  for (let n = 0; n < steps; n++)
    await random
      .oneOf(choices)(at)
      .catch(() => undefined)
  return { branches: NAMES, live: at.live, checkpoints: at.checkpoints }
}
