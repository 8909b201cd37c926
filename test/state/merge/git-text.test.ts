import { describe, expect, test } from "vitest"
import { mergeText } from "../../../src/state/merge/text.ts"
import { random, type Random, seedFor } from "../../support/random.ts"
import { blobId, type Commit, gitAnswers, GitRepository, PATIENCE_MS } from "./git.ts"

// Texts merge as git merges files. No line is there twice, since lines that repeat may be aligned in several ways.

const TEXTS = 600

const textOf = (lines: ReadonlyArray<string>): string => lines.map((line) => `${line}\n`).join("")

/** Lines changed, deleted and added; of a few new ones, so that both sides may come to the same. */
const edited = (
  { between, chance, oneOf }: Random,
  lines: ReadonlyArray<string>,
  fresh: ReadonlyArray<string>
) => {
  const out = [...lines]
  const left = [...fresh]
  for (let edit = between(1, 4); edit > 0; edit -= 1) {
    const at = between(0, out.length)
    const line = left.splice(left.indexOf(oneOf(left)), 1)
    if (chance(0.3)) out.splice(at, between(1, 2))
    else out.splice(at, chance(0.5) ? between(1, 2) : 0, ...line)
  }
  return out
}

describe.skipIf(!gitAnswers())("texts", () => {
  test("merge and conflict as in git", { timeout: PATIENCE_MS }, () => {
    const seed = seedFor("texts as git merges them")
    const choices = random(seed)
    const texts = Array.from({ length: TEXTS }, (_, index) => {
      const lines = Array.from({ length: choices.between(0, 16) }, (_, line) => `${index} ${line}`)
      const fresh = Array.from({ length: 8 }, (_, line) => `${index} new ${line}`)
      return [lines, edited(choices, lines, fresh), edited(choices, lines, fresh)].map(textOf) as [
        string,
        string,
        string
      ]
    })
    const commits = texts.flatMap((three, index): ReadonlyArray<Commit> =>
      three.map((text, place) => ({
        parents: place === 0 ? [] : [3 * index],
        files: new Map([["text", text]])
      }))
    )
    using repository = new GitRepository(commits)
    const merges = repository.merges(texts.map((_, index) => [3 * index + 1, 3 * index + 2]))
    const ours = texts.map((three) => mergeText(...three))
    for (const [index, { clean, files }] of merges.entries()) {
      const merged = ours[index]
      const git = clean ? files.get("text") : "a conflict"
      expect({
        seed,
        three: texts[index],
        merged,
        is: merged === undefined ? "a conflict" : blobId(merged)
      }).toEqual({ seed, three: texts[index], merged, is: git })
    }
    expect(ours.filter((text) => text === undefined).length).toBeGreaterThan(TEXTS / 10)
    expect(ours.filter((text) => text !== undefined).length).toBeGreaterThan(TEXTS / 10)
  })
})
