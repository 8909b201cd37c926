import { describe, expect, test } from "vitest"
import { InvalidArgument, InvalidName } from "../../src/index.ts"
import { InvalidRules, type SyncOptions, UnknownBranch } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

describe("what cannot be synchronised is refused, and nothing is done:", () => {
  const pair = { from: "left", to: ["right"], keys: ["/shared/plan"] }
  test.each<[string, Partial<SyncOptions>, unknown, RegExp]>([
    ["an agent with itself", { to: ["right", "left"] }, InvalidArgument, /with itself/],
    ["an agent twice", { to: ["right", "right"] }, InvalidArgument, /named twice/],
    ["with nobody", { to: [] }, InvalidArgument, /nobody/],
    ["an agent that nobody has written", { from: "nobody" }, UnknownBranch, /nobody/],
    ["a branch that is not there", { from: { agent: "left", branch: "x" } }, UnknownBranch, /"x"/],
    ["no key", { keys: [] }, InvalidArgument, /No path/],
    ["what is no pointer", { keys: ["plan"] }, InvalidArgument, /no pattern/],
    ["what is in no tier", { keys: ["/other/plan"] }, InvalidArgument, /no tier/],
    ["whole tiers", { keys: ["/shared"] }, InvalidArgument, /\/shared\/\*\*/],
    ["all tiers", { keys: ["/**"] }, InvalidArgument, /names no tier/],
    ["a part of a key", { keys: ["/shared/plan/0"] }, InvalidArgument, /"\/shared\/plan"/],
    ["what is an agent's own", { keys: ["/local/mood"] }, InvalidArgument, /do not share/],
    ["what ends with a session", { keys: ["/session/**"] }, InvalidArgument, /do not share/],
    ["a tier that there is not", { tiers: ["other" as never] }, InvalidArgument, /no tier "other"/],
    ["by a strategy that there is not", { strategy: "both" as never }, InvalidArgument, /no strategy/],
    ["by rules that are none", { rules: [{ path: "x" }] }, InvalidRules, /x/],
    ["an agent with no name", { from: "" }, InvalidName, /agent/],
    ["with an agent with no name", { to: ["a b"] }, InvalidName, /agent/]
  ])("%s", async (_, options, error, message) => {
    await log.engine.state("left").update({ shared: { plan: 1 } })
    await log.engine.state("right").update({ shared: { plan: 2 } })
    const before = await log.engine.settled()
    const refused = await log.engine.sync({ ...pair, ...options }).catch((thrown: unknown) => thrown)
    expect(refused).toBeInstanceOf(error)
    expect((refused as Error).message).toMatch(message)
    expect(await log.engine.settled()).toBe(before)
  })

  test("but tiers of an agent's own, where they are asked for", async () => {
    const [a, b] = [log.engine.state("open"), log.engine.state("curious")]
    await a.update({ local: { mood: "calm" }, session: { seen: 1 } })
    await b.update({ local: { own: 1 } })
    await log.engine.sync({
      from: "open",
      to: ["curious"],
      keys: ["/local/mood", "/session/**"],
      tiers: ["local", "session"]
    })
    expect(await b.read()).toMatchObject({ local: { mood: "calm", own: 1 }, session: { seen: 1 } })
  })
})
