import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { cutForLog, findingsOf, MOST_LISTED, MOST_STEPS } from "../../src/engine/maintenance/findings.ts"
import {
  bloatedIndexes,
  brokenIndexes,
  DEFAULT_BLOAT_BYTES,
  DEFAULT_BLOAT_SHARE,
  planOf,
  STALE_ROWS,
  STALE_SHARE,
  staleTables
} from "../../src/engine/maintenance/plan.ts"
import type { Survey, SurveyedIndex, SurveyedTable } from "../../src/engine/maintenance/survey.ts"
import { foretold } from "../../src/engine/maintenance/work.ts"

const fresh: SurveyedTable = {
  table: "events",
  partitionOf: null,
  isPartitioned: false,
  owner: "ada",
  mayMaintain: true,
  hasPages: true,
  bytes: 8_192,
  indexBytes: 0,
  rows: 100_000,
  liveRows: 100_000,
  deadRows: 0,
  changedRows: 0,
  bloatBytes: 0,
  analyzedMs: 1,
  vacuumedMs: 1,
  transactionIdAge: 1
}

const sound: SurveyedIndex = {
  index: "events_pkey",
  table: "events",
  owner: "ada",
  isOwned: true,
  mayMaintain: true,
  isValid: true,
  isUnderWay: false,
  bytes: 100 * 1024 ** 2,
  bloatBytes: 0,
  scans: 1
}

const limits = { share: DEFAULT_BLOAT_SHARE, bytes: DEFAULT_BLOAT_BYTES }

const surveyOf = (
  tables: ReadonlyArray<SurveyedTable>,
  indexes: ReadonlyArray<SurveyedIndex> = []
): Survey => ({
  tables,
  indexes,
  transactions: [],
  transactionIds: { age: 1, freezeAge: 200_000_000 },
  isStandby: false,
  left: []
})

describe("statistics", () => {
  const few = STALE_SHARE * fresh.rows!

  test.each<[string, Partial<SurveyedTable>, boolean]>([
    ["that are fresh", {}, false],
    ["of a table of which just too little changed", { changedRows: few - 1 }, false],
    ["of a table of which a share changed", { changedRows: few }, true],
    ["of a small table that changed as a whole", { rows: 20, changedRows: STALE_ROWS - 1 }, false],
    ["of a small table that changes all the time", { rows: 1, changedRows: STALE_ROWS }, true],
    ["of a table that was empty", { rows: 0, changedRows: STALE_ROWS }, true],
    ["that were never made", { rows: null }, true],
    ["that were never made of a table without a page", { rows: null, hasPages: false }, false]
  ])("%s are made anew or not", (_, given, isStale) => {
    const steps = staleTables([{ ...fresh, ...given }])
    expect(steps.map(({ relation }) => relation)).toEqual(isStale ? ["events"] : [])
  })

  const parent: SurveyedTable = { ...fresh, table: "telemetry", isPartitioned: true, liveRows: 0, bytes: 0 }
  const part = (nth: number, given: Partial<SurveyedTable>): SurveyedTable => ({
    ...fresh,
    table: `telemetry_${nth}`,
    partitionOf: "telemetry",
    ...given
  })

  test("of a partitioned table are stale when its partitions hold another number of rows, and are made with theirs", () => {
    const tables = [parent, part(0, { changedRows: 50_000 }), part(1, { liveRows: 9_000 })]
    expect(staleTables(tables).map(({ relation }) => relation)).toEqual(["telemetry"])
  })

  test("of a partition are made alone where those of the whole still hold", () => {
    const tables = [{ ...parent, rows: 200_000 }, part(0, { changedRows: 50_000 }), part(1, {})]
    expect(staleTables(tables).map(({ relation }) => relation)).toEqual(["telemetry_0"])
  })

  test("of a partitioned table that holds nothing are not missed", () => {
    const empty = part(0, { rows: null, liveRows: 0, hasPages: false })
    expect(staleTables([{ ...parent, rows: null }, empty])).toEqual([])
  })
})

describe("an index", () => {
  const bytes = DEFAULT_BLOAT_BYTES

  test.each<[string, Partial<SurveyedIndex>, boolean]>([
    ["without bloat", {}, false],
    ["as bloated as it may be", { bytes, bloatBytes: bytes * DEFAULT_BLOAT_SHARE - 1 }, false],
    ["that is bloated", { bytes, bloatBytes: bytes * DEFAULT_BLOAT_SHARE }, true],
    ["that is bloated and small", { bytes: bytes - 1, bloatBytes: bytes - 1 }, false],
    ["of which nothing is known", { bloatBytes: null }, false],
    ["that is bloated and of no use", { bloatBytes: sound.bytes, isValid: false }, false],
    ["that is bloated and being built", { bloatBytes: sound.bytes, isUnderWay: true }, false]
  ])("%s is built anew or not", (_, given, isBloated) => {
    const steps = bloatedIndexes([{ ...sound, ...given }], limits)
    expect(steps.map(({ kind }) => kind)).toEqual(isBloated ? ["reindex"] : [])
  })

  test.each<[string, Partial<SurveyedIndex>, ReadonlyArray<string>]>([
    ["that is sound", {}, []],
    ["that is called like one and sound", { index: "events_ccnew" }, []],
    ["that a REINDEX left", { index: "events_pkey_ccnew", isValid: false }, ["drop"]],
    ["that a second REINDEX left", { index: "events_pkey_ccnew1", isValid: false }, ["drop"]],
    ["that a REINDEX replaced", { index: "events_pkey_ccold", isValid: false }, ["drop"]],
    ["that was not built to its end", { isValid: false }, ["repair"]],
    ["that is being built", { isValid: false, isUnderWay: true }, []],
    ["that a REINDEX is building", { index: "a_ccnew", isValid: false, isUnderWay: true }, []]
  ])("%s is dropped, repaired or left", (_, given, kinds) => {
    expect(brokenIndexes([{ ...sound, ...given }]).map(({ kind }) => kind)).toEqual(kinds)
  })
})

const tableArbitrary = fc.record({
  rows: fc.option(fc.nat(1_000_000)),
  liveRows: fc.nat(1_000_000),
  changedRows: fc.nat(1_000_000),
  hasPages: fc.boolean(),
  isPart: fc.boolean(),
  mayMaintain: fc.boolean()
})

const indexArbitrary = fc.record({
  bytes: fc.nat(1_000_000_000),
  bloatBytes: fc.option(fc.nat(1_000_000_000)),
  isValid: fc.boolean(),
  isUnderWay: fc.boolean(),
  isOwned: fc.boolean(),
  mayMaintain: fc.boolean(),
  suffix: fc.constantFrom("", "_ccnew", "_ccold2")
})

const surveyArbitrary = fc
  .tuple(fc.array(tableArbitrary, { maxLength: 12 }), fc.array(indexArbitrary, { maxLength: 12 }))
  .map(([tables, indexes]) =>
    surveyOf(
      tables.map(({ isPart, ...given }, nth) => ({
        ...fresh,
        ...given,
        table: `t${nth}`,
        isPartitioned: nth === 0,
        partitionOf: nth > 0 && isPart ? "t0" : null
      })),
      indexes.map(({ suffix, ...given }, nth) => ({ ...sound, ...given, index: `i${nth}${suffix}` }))
    )
  )

describe("a plan", () => {
  test("touches nothing twice, nothing that is being built, and tells of each step why", () => {
    fc.assert(
      fc.property(surveyArbitrary, (found) => {
        const steps = planOf(found, limits)
        const relations = steps.map(({ relation }) => relation)
        expect(new Set(relations).size).toBe(relations.length)
        const building = found.indexes.filter(({ isUnderWay }) => isUnderWay).map(({ index }) => index)
        expect(relations.filter((relation) => building.includes(relation))).toEqual([])
        for (const { why, table } of steps) expect([why === "", table === ""]).toEqual([false, false])
      })
    )
  })

  test("leaves what this role may not do, and says who may; behind a pooler nothing but statistics are made", () => {
    fc.assert(
      fc.property(surveyArbitrary, fc.boolean(), (found, isPooled) => {
        for (const step of planOf(found, limits)) {
          const { outcome, problem } = foretold(step, isPooled)
          const isLeft = step.forbidden !== undefined || (isPooled && step.kind !== "analyze")
          expect(outcome).toBe(isLeft ? "left" : "would")
          if (step.forbidden !== undefined) expect(problem).toContain('"ada"')
        }
      })
    )
  })

  test("leaves no statistics to be made once it was done", () => {
    fc.assert(
      fc.property(surveyArbitrary, ({ tables }) => {
        const named = new Set(staleTables(tables).map(({ relation }) => relation))
        const isMade = ({ table, partitionOf }: SurveyedTable): boolean =>
          named.has(table) || (partitionOf !== null && named.has(partitionOf))
        const rowsOf = (one: SurveyedTable): number =>
          one.isPartitioned
            ? tables.reduce((sum, part) => sum + (part.partitionOf === one.table ? part.liveRows : 0), 0)
            : one.liveRows
        const after = tables.map((one) => (isMade(one) ? { ...one, rows: rowsOf(one), changedRows: 0 } : one))
        expect(staleTables(after)).toEqual([])
      })
    )
  })
})

test("an event holds the first of each list, and what all come to", () => {
  const tables = Array.from({ length: 300 }, (_, nth) => ({ ...fresh, table: `t${nth}` }))
  const indexes = Array.from({ length: 300 }, (_, nth) => ({ ...sound, index: `i${nth}`, bloatBytes: 7 }))
  const steps = planOf(
    surveyOf(Array.from({ length: 900 }, (_, nth) => ({ ...fresh, table: `s${nth}`, rows: null }))),
    limits
  ).map((step) => foretold(step, false))
  const findings = findingsOf(surveyOf(tables, indexes), {
    steps,
    left: [],
    tookMs: 1.4,
    isInterrupted: false
  })
  const cut = cutForLog(findings)
  expect([cut.tables.length, cut.indexes.length]).toEqual([MOST_LISTED, MOST_LISTED])
  expect(cut.steps).toHaveLength(MOST_STEPS)
  expect(cut.totals).toEqual({
    tables: 300,
    indexes: 300,
    bytes: 300 * fresh.bytes,
    indexBytes: 300 * sound.bytes,
    deadRows: 0,
    bloatBytes: 0,
    indexBloatBytes: 2_100
  })
  expect(JSON.stringify(cut).length).toBeLessThan(256 * 1024)
})
