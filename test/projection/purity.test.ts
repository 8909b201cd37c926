import nodeCrypto from "node:crypto"
import { describe, expect, it } from "vitest"
import { PoisonedFold, purely } from "../../src/projection/purity.ts"
import { impureSql } from "../../src/projection/sql-purity.ts"

const impurities: ReadonlyArray<readonly [name: string, call: () => unknown]> = [
  ["Date.now()", () => Date.now()],
  ["new Date()", () => new Date()],
  ["Date()", () => Date()],
  ["Math.random()", () => Math.random()],
  ["performance.now()", () => performance.now()],
  ["process.hrtime()", () => process.hrtime()],
  ["crypto.randomUUID()", () => crypto.randomUUID()],
  ["crypto.getRandomValues()", () => crypto.getRandomValues(new Uint8Array(1))],
  ["crypto.randomUUID() of node:crypto", () => nodeCrypto.randomUUID()],
  ["crypto.randomBytes() of node:crypto", () => nodeCrypto.randomBytes(1)],
  ["fetch()", () => fetch("http://localhost:1")]
]

describe("a fold in code", () => {
  it.each(impurities)("may not call %s", (_, call) => {
    expect(() => purely(call)).toThrow(PoisonedFold)
    expect(() => purely(call)).toThrow("folds are pure")
  })

  it.each(impurities)("may not call %s and keep silent about it", (_, call) => {
    expect(() =>
      purely(() => {
        try {
          call()
        } catch {
          // As a careless fold would.
        }
      })
    ).toThrow(PoisonedFold)
  })

  it("may read times that it is given", () => {
    const time = purely(() => new Date("2026-01-31T12:00:00Z"))
    expect(time).toBeInstanceOf(Date)
    expect(time.getTime()).toBe(Date.UTC(2026, 0, 31, 12))
    expect(purely(() => time instanceof Date)).toBe(true)
  })

  it("leaves clock and chance to everybody else, whether it ends well or not", () => {
    const before = [
      Date,
      Date.now,
      Math.random,
      performance.now,
      crypto.randomUUID,
      globalThis.fetch,
      process.hrtime
    ]
    purely(() => 1)
    expect(() => purely(() => Date.now())).toThrow(PoisonedFold)
    expect(() =>
      purely(() => {
        throw new Error("of its own")
      })
    ).toThrow("of its own")
    expect([
      Date,
      Date.now,
      Math.random,
      performance.now,
      crypto.randomUUID,
      globalThis.fetch,
      process.hrtime
    ]).toEqual(before)
    expect(Object.getOwnPropertyNames(crypto)).toEqual([])
    expect(Number.isNaN(Date.now() + performance.now() + Math.random())).toBe(false)
  })
})

describe("a fold in SQL", () => {
  it("may name such things in comments, texts and longer words", () => {
    expect(
      impureSql(
        "select 'it is now or never', nowhere, /* random() */ event.known -- now()\nfrom :batch event"
      )
    ).toBeUndefined()
  })
})
