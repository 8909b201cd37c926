import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { isUuid, uuid, uuidOf } from "../../src/base/uuid.ts"

describe("the UUID of a text", () => {
  test("is the same wherever it is made, and another for another text", () => {
    // Written down, since the log knows things by it.
    expect(uuidOf("a\nmain\nb\nmain\n/shared/plan")).toBe("89215239-4b60-83b1-8df3-0148b101a7b4")
    expect(uuidOf("")).not.toBe(uuidOf(" "))
  })

  test("is its SHA-256, as far as version 8 leaves room for it", () => {
    const text = uuidOf("Grüße 🌊")
    expect(isUuid(text)).toBe(true)
    expect(text).toMatch(/^.{14}8.{4}[89ab]/)
    const digits = text.replaceAll("-", "")
    const hash = createHash("sha256").update("Grüße 🌊").digest("hex").slice(0, 32)
    expect(digits.slice(0, 12) + digits.slice(13, 16) + digits.slice(17)).toBe(
      hash.slice(0, 12) + hash.slice(13, 16) + hash.slice(17)
    )
  })

  test("is none of those that are made anew", () => {
    expect(uuid()).toMatch(/^.{14}7/)
    expect(isUuid(uuid())).toBe(true)
  })
})
