import { Schema } from "effect"
import { beforeAll, describe } from "vitest"
import type { JsonObject } from "../../src/base/json-value.ts"
import { InvalidArgument, InvalidName, LogRewound } from "../../src/errors.ts"
import {
  BranchExists,
  BranchProtected,
  CheckpointExpired,
  type EngineState,
  InvalidRules,
  MergeUnresolved,
  type StateMerging,
  UnknownBranch,
  UnknownCheckpoint,
  UnknownMerge,
  UnknownRef
} from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"
import { rowsRefused } from "./refused.ts"

// Branches, versions, checkpoints and merges that are not there, or not as they would have to be.

const log = testLog()

let state: EngineState
let given: {
  readonly merge: StateMerging
  readonly expired: string
  readonly foreign: string
  readonly anothers: string
  readonly elsewhere: string
}

beforeAll(async () => {
  state = log.engine.state("bad")
  const other = log.engine.state("other")
  await state.update({ local: { text: "x", list: [1] }, shared: { n: 1 } })
  await other.update({ local: { n: 1 } })
  await state.branch("there")
  await state.on("there").update({ shared: { n: 2 } })
  await state.update({ shared: { n: 3 } })
  const { checkpoint: expired } = await state.checkpoint({ expiresAt: new Date(Date.now() - 1) })
  const { checkpoint: foreign } = await other.checkpoint()
  // Nobody is to do so by himself while events are counted.
  while ((await log.engine.states.sweep()).checkpoints === 0 && (await state.checkpoints()).length > 0);
  const engine = await log.open({ schema: "elsewhere" })
  given = {
    merge: await state.merge("there"),
    expired,
    foreign,
    anothers: (await other.read()).token,
    elsewhere: (await engine.state("bad").update({ shared: { n: 1 } })).token
  }
})

const uuid = "01890a5d-ac96-774b-bcce-b302099a8057"
const refused = rowsRefused(log, () => [state, state.on("there")])

describe("a branch is refused", () => {
  const unknown = /no branch "gone" of the state of "bad"\. Make it with branch\(\), or look in branches\(\)/
  const named = /branch "(no name||ü|a@b)".*a branch is called by a letter, digit or _/
  refused([
    ["that is unknown, to be read", () => state.on("gone").read(), UnknownBranch, unknown],
    [
      "that is unknown, to be updated",
      () => state.on("gone").update({ local: { n: 1 } }),
      UnknownBranch,
      unknown
    ],
    ["that is unknown, to be patched", () => state.on("gone").patch([]), UnknownBranch, unknown],
    ["that is unknown, to be committed", () => state.on("gone").commit("x"), UnknownBranch, unknown],
    ["that is unknown, to be tagged", () => state.on("gone").tag("x"), UnknownBranch, unknown],
    ["that is unknown, to be branched", () => state.on("gone").branch("new"), UnknownBranch, unknown],
    ["that is unknown, to be checkpointed", () => state.on("gone").checkpoint(), UnknownBranch, unknown],
    ["that is unknown, to be told of", () => state.on("gone").history(), UnknownBranch, unknown],
    ["that is unknown, to be compared", () => state.diff({ branch: "gone" }), UnknownBranch, unknown],
    ["that is unknown, to be verified", () => state.on("gone").verify(), UnknownBranch, unknown],
    [
      "that is unknown, to be merged into",
      () => state.merge("there", { into: "gone" }),
      UnknownBranch,
      unknown
    ],
    ["that is unknown, to be deleted", () => state.deleteBranch("gone"), UnknownBranch, unknown],
    ["that is there, to be made", () => state.branch("there"), BranchExists, /Take another name, or delete/],
    ["that all have, to be made", () => state.branch("main"), BranchExists, /Take another name/],
    ["that all have, to be deleted", () => state.deleteBranch("main"), BranchProtected, /every agent has it/],
    ["with a blank in its name", () => state.branch("no name"), InvalidName, named],
    ["without a name", () => state.branch(""), InvalidName, named],
    ["with other letters in its name", () => state.branch("ü"), InvalidName, named],
    ["with a name that would be another agent's", () => state.branch("a@b"), InvalidName, named],
    ["of an agent without a name", () => log.engine.state("").read(), InvalidName, /1–122 visible/],
    ["of an agent with a blank", () => log.engine.state("a b").update({}), InvalidName, /1–122 visible/]
  ])
})

describe("a version is refused", () => {
  const look = /Look in history\(\), tags\(\) and branches\(\)/
  refused([
    [
      "by a tag that is unknown, to be branched",
      () => state.branch("new", { at: { tag: "no" } }),
      UnknownRef,
      look
    ],
    ["by a number that is unknown, to be branched", () => state.branch("new", { at: 99 }), UnknownRef, look],
    ["by a number that is unknown, to be tagged", () => state.tag("new", { version: 99 }), UnknownRef, look],
    ["by a commit that is unknown, to be reverted", () => state.revert({ commit: uuid }), UnknownRef, look],
    ["by a commit that is none, to be restored", () => state.restore({ commit: "no" }), UnknownRef, look],
    ["by a number that is unknown, to be compared", () => state.diff(99), UnknownRef, look],
    ["by a number that is none", () => state.read({ version: 0 }), InvalidArgument, /a whole number from 1/],
    ["by a time that is none", () => state.read({ time: "soon" }), InvalidArgument, /no time/],
    ["by two names", () => state.read({ version: 1, tag: "v" }), InvalidArgument, /one/],
    ["by a tag that was not given, to be untagged", () => state.untag("no"), UnknownRef, look],
    ["by a tag with a blank", () => state.tag("no name"), InvalidName, /a tag is called by/],
    [
      "by a token that is none",
      () => state.read({ token: "no" }),
      InvalidArgument,
      /no token of a state: give one/
    ],
    ["by another agent's token", () => state.read({ token: given.anothers }), UnknownRef, /of another agent/],
    [
      "by another agent's token, as a base",
      () => state.update({ shared: { n: 2 } }, { base: given.anothers }),
      UnknownRef,
      /of another agent/
    ],
    [
      "by a token of another log, as a base",
      () => state.update({ shared: { n: 2 } }, { base: given.elsewhere }),
      LogRewound,
      /of the log/
    ]
  ])
})

describe("a checkpoint or a merge is refused", () => {
  refused([
    [
      "that is unknown, to be restored",
      () => state.restore(uuid),
      UnknownCheckpoint,
      /look in checkpoints\(\)/
    ],
    ["that is no id", () => state.restore("no"), UnknownCheckpoint, /there is no such checkpoint/],
    [
      "that expired",
      () => state.restore(given.expired),
      CheckpointExpired,
      /can still be read and restored by number/
    ],
    [
      "of another agent, to be restored",
      () => state.restore(given.foreign),
      UnknownCheckpoint,
      /of "other", and not of "bad"/
    ],
    [
      "of another agent, to be dropped",
      () => state.dropCheckpoint(given.foreign),
      UnknownCheckpoint,
      /another agent's/
    ],
    ["that ends at no time", () => state.checkpoint({ expiresAt: "soon" }), InvalidArgument, /give a Date/],
    [
      "of which a conflict is open",
      () => given.merge.finish(),
      MergeUnresolved,
      /\/shared\/n are open.*resolve these, then finish it/
    ],
    [
      "at a path that is no conflict",
      () => given.merge.resolve("/shared/m", { use: "ours" }),
      InvalidArgument,
      /\/shared\/m/
    ],
    [
      "by no resolution",
      () => given.merge.resolve("/shared/n", { use: "mine" as never }),
      InvalidArgument,
      /ours/
    ],
    [
      "that is unknown, to be finished",
      () => log.engine.states.merge(uuid).finish(),
      UnknownMerge,
      /Look in merges\(\)/
    ],
    [
      "that is unknown, to be given up",
      () => log.engine.states.merge("no").abort(),
      UnknownMerge,
      /Look in merges\(\)/
    ],
    ["of a branch that is unknown", () => state.merge("gone"), UnknownBranch, /no branch "gone"/],
    [
      "by rules that are none",
      () => state.merge("there", { rules: [{ path: "n" }] }),
      InvalidRules,
      /mend them/
    ]
  ])
})

describe("a template is refused", () => {
  const tiers = { shared: Schema.Struct({ budget: Schema.Int, plan: Schema.optionalKey(Schema.String) }) }
  const define = (shared: JsonObject) => () =>
    log.engine.defineState({ agentType: "unfit", tiers, template: { persistent: { n: 1 }, shared } })
  const told = (problem: string) =>
    new RegExp(
      `The shared tier of the template is not what its schema declares: ${problem}[^]*Nothing was defined; mend the template, or the schema`
    )
  refused([
    ["that has another kind of value", define({ budget: "much" }), InvalidArgument, told("Expected number")],
    ["that lacks a key", define({ plan: "a" }), InvalidArgument, told("Missing key")],
    ["that has nothing of a tier which needs it", define({}), InvalidArgument, told("Missing key")]
  ])
})
