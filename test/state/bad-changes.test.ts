import { randomBytes } from "node:crypto"
import { beforeAll, describe } from "vitest"
import { InvalidEvent } from "../../src/errors.ts"
import { type EngineState, InvalidChange, PatchRefused } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"
import { rowsRefused } from "./refused.ts"

// Updates and patches that are none, or cannot be made.

const log = testLog()

let state: EngineState

beforeAll(async () => {
  state = log.engine.state("bad")
  await state.update({ local: { text: "x", list: [1] } })
})

/** In UTF-8, of which nothing can be compressed away. */
const LONG_KEY = `${randomBytes(511).toString("hex")}é-`.slice(0, 1_024)

const proto = JSON.parse('{ "__proto__": { "admin": true } }') as never

const refused = rowsRefused(log, () => [state])

describe("a change is refused", () => {
  const tiers = /a state has local, shared, session, persistent.*Nothing was changed/
  const tier = /a tier is an object at \/local\. Nothing was changed/
  const anew = /Nothing of the patch was done; read the state and make the patch anew/
  const update = (given: unknown) => () => state.update(given as never)
  const patch =
    (...given: ReadonlyArray<object>) =>
    () =>
      state.patch(given)
  refused([
    ["that is no object", update("x"), InvalidChange, /an update is an object of tiers/],
    ["that is nothing", update(null), InvalidChange, /an update is an object of tiers/],
    ["that is a list", update([{}]), InvalidChange, /an update is an object of tiers/],
    ["of a tier that there is not", update({ global: { n: 1 } }), InvalidChange, tiers],
    ["of a tier that is a text", update({ local: "x" }), InvalidChange, tier],
    ["of a tier that is null", update({ local: null }), InvalidChange, tier],
    ["of a tier that is a list", update({ local: [] }), InvalidChange, tier],
    ["of a tier __proto__", update(proto), InvalidChange, /a key named __proto__/],
    [
      "of a key __proto__",
      update({ shared: { n: proto } }),
      InvalidChange,
      /__proto__.*at \/shared\/n\/__proto__/
    ],
    ["of a tier constructor", update({ constructor: { n: 1 } }), InvalidChange, tiers],
    ["with NUL in a text", update({ local: { text: "a\0b" } }), InvalidChange, /U\+0000.*at \/local\/text/],
    ["with NUL in a key", update({ local: { "a\0b": 1 } }), InvalidChange, /U\+0000/],
    [
      "of a key with a name that is too long",
      update({ local: { [LONG_KEY]: 1 } }),
      InvalidChange,
      /the name of a key has 1025 bytes, and may have 1024.*at \/local/
    ],
    [
      "of such a key by a patch",
      patch({ op: "add", path: `/local/${LONG_KEY}`, value: 1 }),
      InvalidChange,
      /the name of a key has 1025 bytes/
    ],
    ["with half a character", update({ local: { text: "\ud800" } }), InvalidChange, /half a surrogate pair/],
    [
      "with no number",
      update({ local: { n: Number.NaN } }),
      InvalidChange,
      /NaN, which JSON has no number for/
    ],
    [
      "with a function",
      update({ local: { n: () => 1 } }),
      InvalidChange,
      /a function, which JSON cannot hold/
    ],
    ["that is larger than an event", update({ local: { text: "x".repeat(2 ** 21) } }), InvalidEvent, /bytes/],
    ["that is a patch and no list", () => state.patch({} as never), InvalidChange, /a patch is an array/],
    ["of which a test fails", patch({ op: "test", path: "/local/text", value: "y" }), PatchRefused, anew],
    [
      "of which the last operation fails",
      patch({ op: "add", path: "/local/new", value: 1 }, { op: "remove", path: "/local/none" }),
      PatchRefused,
      /Operation 1 \(\/local\/none\)/
    ],
    ["through a text", patch({ op: "add", path: "/local/text/n", value: 1 }), PatchRefused, anew],
    ["through nothing", patch({ op: "add", path: "/local/none/n", value: 1 }), PatchRefused, anew],
    ["beyond a list", patch({ op: "add", path: "/local/list/9", value: 1 }), PatchRefused, anew],
    ["by no operation", patch({ op: "swap", path: "/local/text" }), PatchRefused, anew],
    ["at no pointer", patch({ op: "remove", path: "local" }), PatchRefused, anew],
    ["that removes a tier", patch({ op: "remove", path: "/local" }), InvalidChange, /Nothing was changed/],
    ["that adds a tier", patch({ op: "add", path: "/global", value: {} }), InvalidChange, tiers],
    ["that makes a tier a list", patch({ op: "replace", path: "/local", value: [] }), InvalidChange, tier],
    [
      "that makes the state a text",
      patch({ op: "replace", path: "", value: "x" }),
      InvalidChange,
      /object of tiers/
    ],
    ["through __proto__", patch({ op: "add", path: "/local/__proto__/n", value: 1 }), PatchRefused, anew],
    [
      "through constructor",
      patch({ op: "add", path: "/local/constructor/prototype/n", value: 1 }),
      PatchRefused,
      anew
    ],
    ["with NUL in a patch", patch({ op: "add", path: "/local/n", value: "\0" }), InvalidChange, /U\+0000/],
    [
      "of a tier that is asked for and is none",
      () => state.read({ tiers: ["global"] as never }),
      InvalidChange,
      tiers
    ],
    ["at a path that is asked for and is none", () => state.read({ paths: ["n"] }), InvalidChange, /RFC 6901/]
  ])
})
