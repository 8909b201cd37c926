import { describe, expect, test } from "vitest"
import { InvalidArgument, InvalidName } from "../../src/index.ts"
import { InvalidRules, LinkEnded, type LinkOptions, UnknownBranch, UnknownLink } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"

const log = testLog()

const UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"

const caught = (doing: Promise<unknown>): Promise<unknown> => doing.catch((thrown: unknown) => thrown)

describe("what cannot be linked is refused, and nothing is done:", () => {
  test.each<[string, object, unknown, RegExp]>([
    ["an agent with itself", { to: ["left"] }, InvalidArgument, /with itself/],
    ["an agent twice", { to: ["right", "right"] }, InvalidArgument, /once/],
    ["with nobody", { to: [] }, InvalidArgument, /nobody/],
    ["a group of one", { from: undefined, to: undefined, group: ["left"] }, InvalidArgument, /two states/],
    [
      "a group that is no list",
      { from: undefined, to: undefined, group: "left" },
      InvalidArgument,
      /no list/
    ],
    ["a group and more", { group: ["left", "right"] }, InvalidArgument, /one of these/],
    ["an agent without a state", { from: "nobody" }, UnknownBranch, /nobody/],
    ["with an agent without a state", { to: ["nobody"] }, UnknownBranch, /nobody/],
    ["a branch that is not there", { to: [{ agent: "right", branch: "x" }] }, UnknownBranch, /"x"/],
    ["no key", { keys: [] }, InvalidArgument, /No path/],
    ["a part of a key", { keys: ["/shared/plan/0"] }, InvalidArgument, /"\/shared\/plan"/],
    ["what is an agent's own", { keys: ["/local/**"] }, InvalidArgument, /do not share/],
    ["a tier that there is not", { tiers: ["other"] }, InvalidArgument, /no tier "other"/],
    ["by a function", { strategy: () => undefined }, InvalidArgument, /outlives this process/],
    ["by a strategy that there is not", { strategy: "both" }, InvalidArgument, /"both"/],
    ["by rules that are none", { rules: [{ path: "x" }] }, InvalidRules, /x/],
    ["in a hurry that there is not", { priority: "now" }, InvalidArgument, /no priority "now"/],
    ["an agent with no name", { from: "" }, InvalidName, /agent/]
  ])("%s", async (_, options, error, message) => {
    await log.engine.state("left").update({ shared: { plan: 1 } })
    await log.engine.state("right").update({ shared: { plan: 2 } })
    const before = await log.engine.settled()
    const pair = { from: "left", to: ["right"], keys: ["/shared/plan"] }
    const refused = await caught(log.engine.link({ ...pair, ...options } as unknown as LinkOptions))
    expect(refused).toBeInstanceOf(error)
    expect((refused as Error).message).toMatch(message)
    expect(await log.engine.settled()).toBe(before)
  })
})

describe("a link that there is not", () => {
  test.each(["nothing", UNKNOWN])("is unknown: %s", async (id) => {
    const link = log.engine.links.of(id)
    for (const doing of [link.pause, link.resume, link.end, () => link.change({ add: ["left"] })])
      expect(await caught(doing())).toBeInstanceOf(UnknownLink)
  })

  test("any more is over", async () => {
    for (const name of ["one", "two", "three"]) await log.engine.state(name).update({ local: { name } })
    const link = await log.engine.link({ group: ["one", "two"], keys: ["/shared/**"] })
    await link.end({ actor: "me", reason: "enough" })
    for (const doing of [link.pause, link.resume, link.end, () => link.change({ add: ["three"] })])
      expect(await caught(doing())).toBeInstanceOf(LinkEnded)
    expect(await log.engine.links.list({ agent: "one" })).toMatchObject([
      { link: link.link, status: "ended" }
    ])
  })
})

describe("a change of a link is refused,", () => {
  test.each<[string, object, unknown, RegExp]>([
    ["of one that is no member", { remove: ["three"] }, InvalidArgument, /no member/],
    ["of one that is one", { add: ["one"] }, InvalidArgument, /once/],
    ["that leaves one alone", { remove: ["two"] }, InvalidArgument, /two states/],
    ["of one without a state", { add: ["nobody"] }, UnknownBranch, /nobody/]
  ])("%s", async (_, change, error, message) => {
    for (const name of ["one", "two", "three"]) await log.engine.state(name).update({ local: { name } })
    const link = await log.engine.link({ group: ["one", "two"], keys: ["/shared/**"] })
    const refused = await caught(link.change(change))
    expect(refused).toBeInstanceOf(error)
    expect((refused as Error).message).toMatch(message)
    await link.end()
  })
})

test.each([{ state: "foo" as never }, { limit: -1 }, { limit: 2_000 }, { link: "nope" }])(
  "the queue is not listed by %j",
  async (list) => {
    expect(await caught(log.engine.syncQueue.list(list))).toBeInstanceOf(InvalidArgument)
  }
)

test.each(["retry", "drop"] as const)("the queue has nothing to %s that is not in it", async (verb) => {
  expect(await log.engine.syncQueue[verb](UNKNOWN)).toBe(0)
  expect(await log.engine.syncQueue[verb]("all")).toBe(0)
  expect(await caught(log.engine.syncQueue[verb]("it"))).toBeInstanceOf(InvalidArgument)
})
