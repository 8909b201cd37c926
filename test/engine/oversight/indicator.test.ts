import { expect, test } from "vitest"
import { type IndicatorFacts, indicatorsOf } from "../../../src/engine/oversight/indicator.ts"
import { readModel, well, withPool, withServer } from "./well.ts"

const facts: IndicatorFacts = {
  pool: well.pool,
  server: well.server,
  projections: [readModel("agents", { lagMs: 12 }), readModel("help")] as never,
  health: { healthy: 3, late: 1, lost: 0, unknown: 0 },
  cache: { hitRate: 0.9 }
}

const answers = well.pool.answers

test("all indicators of a fleet that does well are met", () => {
  expect(indicatorsOf(facts).map(({ name, value, isMet }) => [name, value, isMet])).toEqual([
    ["pool utilisation", 10, true],
    ["statement p95", 2, true],
    ["failed statements", 0, true],
    ["server connections", (100 * 20) / 97, true],
    ["lock contention", 0, true],
    ["transactions", 1_500, true],
    ["read model lag", 12, true],
    ["cache hit rate", 90, true],
    ["lost agents", 0, true]
  ])
})

test.each([
  ["pool utilisation", { pool: withPool({ open: 8, idle: 0 }).pool }, 80],
  ["statement p95", { pool: withPool({ answers: { ...answers, p95Ms: 100 } }).pool }, 100],
  ["failed statements", { pool: withPool({ answers: { ...answers, failed: 50 } }).pool }, 5],
  ["server connections", { server: withServer({ connections: 80, maxConnections: 100 }).server }, 80],
  ["lock contention", { server: withServer({ active: 20, waitingForLocks: 1 }).server }, 5],
  ["read model lag", { projections: [readModel("help", { lagMs: 1_000 })] as never }, 1_000],
  ["read model lag", { projections: [readModel("help", { lagMs: undefined })] as never }, Infinity],
  ["cache hit rate", { cache: { hitRate: 0.8 } }, 80],
  ["lost agents", { health: { ...facts.health, lost: 1 } }, 1]
] as const)("%s is missed at %j", (name, given, value) => {
  const indicators = indicatorsOf({ ...facts, ...given })
  expect(indicators.filter(({ isMet }) => isMet !== true)).toMatchObject([{ name, value, isMet: false }])
})

test.each([
  ["statement p95", { pool: withPool({ answers: { ...answers, p95Ms: undefined } }).pool }],
  ["failed statements", { pool: withPool({ answers: { ...answers, statements: 0 } }).pool }],
  ["transactions", { server: withServer({ transactionsPerSecond: undefined }).server }],
  ["transactions", { server: withServer({ transactionsPerSecond: 1_000 }).server }],
  ["cache hit rate", { cache: { hitRate: null } }]
] as const)("nothing is said of %s where %j", (name, given) => {
  const indicators = indicatorsOf({ ...facts, ...given })
  expect(indicators.filter(({ isMet }) => isMet !== true).map((one) => [one.name, one.isMet])).toEqual([
    [name, undefined]
  ])
})
