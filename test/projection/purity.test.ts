import nodeCrypto from "node:crypto"
import os from "node:os"
import { describe, expect, it } from "vitest"
import { PoisonedFold, purely } from "../../src/projection/purity.ts"
import { impureSql } from "../../src/projection/sql-purity.ts"

const impurities: ReadonlyArray<readonly [name: string, call: () => unknown]> = [
  ["Date.now()", () => Date.now()],
  ["new Date()", () => new Date()],
  ["Date()", () => Date()],
  ["Math.random()", () => Math.random()],
  ["performance.now()", () => performance.now()],
  ["performance.mark()", () => performance.mark("now")],
  ["process.hrtime()", () => process.hrtime()],
  ["process.hrtime.bigint()", () => process.hrtime.bigint()],
  ["process.uptime()", () => process.uptime()],
  ["process.cpuUsage()", () => process.cpuUsage()],
  ["os.uptime()", () => os.uptime()],
  ["Intl.DateTimeFormat.format() of no time", () => new Intl.DateTimeFormat().format()],
  ["Intl.DateTimeFormat.formatToParts() of no time", () => new Intl.DateTimeFormat().formatToParts()],
  ["crypto.randomInt() of node:crypto", () => nodeCrypto.randomInt(6)],
  ["crypto.randomFillSync() of node:crypto", () => nodeCrypto.randomFillSync(new Uint8Array(1))],
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

  it("may format times that it is given, with any formatter, and pass its format on", () => {
    const zone = new Intl.DateTimeFormat("en", { timeZone: "UTC", dateStyle: "short" })
    const time = Date.UTC(2026, 0, 31)
    expect(purely(() => [time].map(zone.format))).toEqual(["1/31/26"])
    expect(purely(() => zone.formatToParts(new Date(time))[0]!.value)).toBe("1")
    expect(purely(() => new Date(time).toLocaleDateString("en", { timeZone: "UTC" }))).toBe("1/31/2026")
  })

  it("leaves clock and chance to everybody else, whether it ends well or not", () => {
    const clocks = () => [
      ...[Date, Date.now, Math.random, performance.now, performance.mark, globalThis.fetch, os.uptime],
      ...[process.hrtime, process.hrtime.bigint, process.uptime, process.cpuUsage],
      ...[crypto.randomUUID, nodeCrypto.randomInt, nodeCrypto.randomFillSync],
      Object.getOwnPropertyDescriptors(Intl.DateTimeFormat.prototype)
    ]
    const before = clocks()
    purely(() => 1)
    expect(() => purely(() => Date.now())).toThrow(PoisonedFold)
    expect(() =>
      purely(() => {
        throw new Error("of its own")
      })
    ).toThrow("of its own")
    expect(clocks()).toEqual(before)
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
