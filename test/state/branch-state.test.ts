import { describe, expect, test } from "vitest"
import { BranchState } from "../../src/state/branch/branch-state.ts"
import { branchName } from "../../src/state/branch/loader.ts"

const key = (value: string | undefined, bytes: number) => ({ value, hash: 0n, bytes })

describe("the size of what is known of a branch", () => {
  const asked = Array.from({ length: 1_000 }, (_, n) => `local/${n}-${"k".repeat(100)}`)

  test("has the names of keys that were asked for and are not there, each once", () => {
    const state = new BranchState(branchName("a", "main"))
    for (let times = 0; times < 3; times++) state.learn({ tiers: [], keys: asked }, [])
    expect(state.bytes).toBe(asked.join("").length)
  })

  test("has what they are from when they are there, and their names again once they are removed", () => {
    const state = new BranchState(branchName("a", "main"))
    const [id] = asked as [string]
    state.learn({ tiers: [], keys: [id] }, [])
    const write = (value: string | undefined, bytes: number, version: number) =>
      state.accept({ keys: new Map([[id, key(value, bytes)]]), hash: 0n }, { version, position: version })
    write("x", 500, 1)
    expect(state.bytes).toBe(500)
    write(undefined, 0, 2)
    expect(state.bytes).toBe(id.length)
  })

  test("is nothing of keys that came and went in a tier of which all is known", () => {
    const state = new BranchState(branchName("a", "main"))
    state.learn({ tiers: ["local"], keys: [] }, [])
    for (const [nth, id] of asked.entries())
      for (const [value, version] of [["x", 2 * nth + 1] as const, [undefined, 2 * nth + 2] as const])
        state.accept(
          { keys: new Map([[id, key(value, value === undefined ? 0 : 3)]]), hash: 0n },
          { version, position: version }
        )
    expect([state.bytes, [...state.entries()].length, state.key(asked[7]!).value]).toEqual([0, 0, undefined])
    expect(state.knows({ tiers: ["local"], keys: asked })).toBe(true)
  })

  test("is nothing where all of a tier is known, and a key is not in it", () => {
    const state = new BranchState(branchName("a", "main"))
    state.learn({ tiers: ["local"], keys: [] }, [])
    state.learn({ tiers: [], keys: asked }, [])
    expect(state.bytes).toBe(0)
  })
})
