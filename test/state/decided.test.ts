import { Effect, Result } from "effect"
import { describe, expect, test } from "vitest"
import type { NewEvent } from "../../src/index.ts"
import { BranchDraft } from "../../src/state/branch/draft.ts"
import { BranchState } from "../../src/state/branch/branch-state.ts"
import { InvalidChange, PatchRefused, StateError, UnknownBranch } from "../../src/state/error.ts"
import { StateChanged } from "../../src/state/event.ts"
import { Given, type StateUpdate } from "../../src/state/change/given.ts"
import { StateHasher } from "../../src/state/branch/hash.ts"
import { branchStream, MAIN } from "../../src/state/name.ts"
import { beginning, patched, planOfChange, updated } from "../../src/state/change/writing.ts"
import { testDecider } from "../../src/testing.ts"

// What events an update or a patch comes to: decided on a state without a server.

type Change = StateUpdate | ReadonlyArray<unknown>

const hasher = new StateHasher(Buffer.alloc(32, 7))

const unwrapped = <A>(effect: Effect.Effect<A, unknown>): A => {
  const result = Effect.runSync(Effect.result(effect))
  if (Result.isSuccess(result)) return result.success
  throw result.failure instanceof StateError ? result.failure.reason : result.failure
}

const thrown = <A>(value: A | InvalidChange | PatchRefused): A => {
  if (value instanceof InvalidChange || value instanceof PatchRefused) throw value
  return value
}

const ofBranch = (branch: string) => {
  const name = { agent: "billing-7", branch, stream: branchStream("billing-7", branch) }
  return testDecider<BranchState, Change, ReadonlyArray<NewEvent>>({
    initial: () => Object.assign(new BranchState(name), { hasher }),
    evolve: (state, event) => {
      state.apply({ ...event, recordedAt: event.recordedAt.getTime() })
      if (state.fault !== undefined) throw new Error(state.fault.detail)
      return state
    },
    decide: (change, state) => {
      const draft = new BranchDraft(state)
      const given = new Given(name)
      const first = unwrapped(beginning(name, draft, undefined))
      const values = (): ReturnType<typeof updated> => {
        if (!Array.isArray(change)) return updated(draft, thrown(given.update(change as StateUpdate)))
        const operations = thrown(given.patch(change))
        return thrown(patched(name, draft, operations, given.selectionOfPatch(operations)))
      }
      const plan = planOfChange(name, draft, first, values(), StateChanged.make, () => "token")
      return unwrapped(plan).events
    }
  })
}

const spec = ofBranch(MAIN)

/** The hash of a state, worked out by itself. */
const hashOf = (
  entries: ReadonlyArray<readonly [tier: "local" | "shared", key: string, value: never]>
): string =>
  entries
    .reduce((sum, [tier, key, value]) => sum + hasher.entry({ tier, key }, value).hash, 0n)
    .toString(16)
    .slice(-64)
    .padStart(64, "0")

const changed = (patch: ReadonlyArray<unknown>, ...entries: Parameters<typeof hashOf>[0]): NewEvent => ({
  type: "StateChanged",
  data: { semantics: 1, patch, hash: hashOf(entries) }
})

const created: NewEvent = { type: "StateCreated", data: { semantics: 1, patch: [], hash: "0".repeat(64) } }
const calm = changed([{ op: "add", path: "/local/mood", value: "calm" }], ["local", "mood", "calm" as never])

describe("a change of a state", () => {
  test("begins the state where there is none yet", () => {
    spec
      .given()
      .when({ local: { mood: "calm" } })
      .then(created, calm)
  })

  test("says what is different, and no more", () => {
    spec
      .given(created, calm)
      .when({ local: { mood: "calm" }, shared: { n: 1 } })
      .then(
        changed(
          [{ op: "add", path: "/shared/n", value: 1 }],
          ["local", "mood", "calm" as never],
          ["shared", "n", 1 as never]
        )
      )
    spec
      .given(created, calm)
      .when([
        { op: "test", path: "/local/mood", value: "calm" },
        { op: "move", from: "/local/mood", path: "/shared/mood" }
      ])
      .then(
        changed(
          [
            { op: "remove", path: "/local/mood" },
            { op: "add", path: "/shared/mood", value: "calm" }
          ],
          ["shared", "mood", "calm" as never]
        )
      )
  })

  test.each(["////////////", "~~~~~~~~~~~~", "", "constructor"])(
    "of the key %j is of that key alone, whatever a shorter patch would be",
    (key) => {
      const path = `/local/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
      const added = changed([{ op: "add", path, value: 1 }], ["local", key, 1 as never])
      spec
        .given(created, added)
        .when({ local: { [key]: 2 } })
        .then(changed([{ op: "replace", path, value: 2 }], ["local", key, 2 as never]))
      spec
        .given(created, added)
        .when({ local: { [key]: null } })
        .then(changed([{ op: "remove", path }]))
    }
  )

  test("is none where all is so already", () => {
    spec
      .given(created, calm)
      .when({ local: { mood: "calm", gone: null } })
      .thenNothing()
    spec
      .given(created, calm)
      .when([{ op: "replace", path: "/local/mood", value: "calm" }])
      .thenNothing()
  })

  test("is refused where it is malformed, cannot be done, or is of no branch", () => {
    spec
      .given(created, calm)
      .when({ local: "calm" as never })
      .thenFails(InvalidChange)
    spec
      .given(created, calm)
      .when([{ op: "test", path: "/local/mood", value: "wild" }])
      .thenFails(PatchRefused)
    ofBranch("other")
      .given()
      .when({ local: { mood: "calm" } })
      .thenFails(UnknownBranch)
  })

  test("is not followed where its hash is another", () => {
    const forged = { ...calm, data: { ...(calm.data as object), hash: "1".repeat(64) } }
    expect(() => spec.given(created, forged).when({}).thenNothing()).toThrow("do not agree")
  })
})
