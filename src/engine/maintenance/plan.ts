import type { StepKind } from "./event.ts"
import type { Survey, SurveyedIndex, SurveyedTable } from "./survey.ts"

/** Statistics are stale once this share of a table's rows has changed since they were made … */
export const STALE_SHARE = 0.05

/** … and at least so many: a small table is planned well enough with old ones. */
export const STALE_ROWS = 1_000

/** An index is bloated when this share of it, by estimate, is not needed. Keys that come in no order leave some 30 % of it free anyway. */
export const DEFAULT_BLOAT_SHARE = 0.5

/** A smaller index is not worth it, however bloated, in bytes. */
export const DEFAULT_BLOAT_BYTES = 10 * 1024 ** 2

/** Something to do. */
export interface Step {
  readonly kind: StepKind
  readonly relation: string
  /** The table that it is about: an index's. */
  readonly table: string
  readonly why: string
  /** Why this role may not do it; undefined where it may. */
  readonly forbidden: string | undefined
  /** Of an index. */
  readonly bytes: number | null
}

export interface BloatLimits {
  readonly share: number
  readonly bytes: number
}

const PERCENT = 100

const percent = (share: number): string => `${Math.round(share * PERCENT)} %`

const onlyOwner = (owner: string): string => `only its owner, "${owner}", may`

const ownedOr = (owner: string, may: boolean): string | undefined => (may ? undefined : onlyOwner(owner))

/** Why statistics that were made of `known` rows say too little now. */
const staleness = (known: number | null, changed: number, isThere: boolean): string | undefined => {
  if (known === null) return isThere ? "it has no statistics yet" : undefined
  if (changed < STALE_ROWS || changed < STALE_SHARE * known) return undefined
  const share = known === 0 ? "" : ` (${percent(Math.min(1, changed / known))})`
  return `${changed} rows${share} changed since its statistics were made`
}

const staleTable = ({ rows, changedRows, hasPages }: SurveyedTable): string | undefined =>
  staleness(rows, changedRows, hasPages)

/** Autovacuum never looks at a partitioned table as a whole, and its rows are those of its partitions. */
const stalePartitioned = (
  { rows }: SurveyedTable,
  partitions: ReadonlyArray<SurveyedTable>
): string | undefined => {
  const live = partitions.reduce((sum, { liveRows }) => sum + liveRows, 0)
  return staleness(rows, rows === null ? 0 : Math.abs(live - rows), live > 0)
}

const analyzing = (table: SurveyedTable, why: string): Step => ({
  kind: "analyze",
  relation: table.table,
  table: table.table,
  why,
  forbidden: ownedOr(table.owner, table.mayMaintain),
  bytes: null
})

/** The tables whose statistics are stale; a partitioned one goes before its partitions, which are analysed with it. */
export const staleTables = (tables: ReadonlyArray<SurveyedTable>): ReadonlyArray<Step> => {
  const covered = new Set<string>()
  const steps: Array<Step> = []
  for (const table of tables.filter(({ isPartitioned }) => isPartitioned)) {
    const partitions = tables.filter(({ partitionOf }) => partitionOf === table.table)
    const why = stalePartitioned(table, partitions)
    if (why === undefined) continue
    for (const { table: name } of partitions) covered.add(name)
    steps.push(analyzing(table, why))
  }
  for (const table of tables) {
    const why = table.isPartitioned || covered.has(table.table) ? undefined : staleTable(table)
    if (why !== undefined) steps.push(analyzing(table, why))
  }
  return steps
}

/** How PostgreSQL names what REINDEX CONCURRENTLY builds, and what that replaces. */
const OF_A_REINDEX = /_cc(?:new|old)\d*$/

export const isLeftOver = ({ index, isValid }: SurveyedIndex): boolean => !isValid && OF_A_REINDEX.test(index)

const indexStep = (kind: StepKind, of: SurveyedIndex, why: string, may: boolean): Step => ({
  kind,
  relation: of.index,
  table: of.table,
  why,
  forbidden: ownedOr(of.owner, may),
  bytes: of.bytes
})

/** What concurrent builds that failed have left. One that is under way looks the same, and is left alone. */
export const brokenIndexes = (indexes: ReadonlyArray<SurveyedIndex>): ReadonlyArray<Step> =>
  indexes
    .filter(({ isValid, isUnderWay }) => !isValid && !isUnderWay)
    .map((index) =>
      isLeftOver(index)
        ? indexStep("drop", index, "a REINDEX that did not come to its end left it behind", index.isOwned)
        : indexStep("repair", index, "it was not built to its end, and no query uses it", index.mayMaintain)
    )

/** Indexes of which too much, by estimate, is not needed. */
export const bloatedIndexes = (
  indexes: ReadonlyArray<SurveyedIndex>,
  limits: BloatLimits
): ReadonlyArray<Step> =>
  indexes
    .filter(
      ({ isValid, isUnderWay, bytes, bloatBytes }) =>
        isValid &&
        !isUnderWay &&
        bytes >= limits.bytes &&
        bloatBytes !== null &&
        bloatBytes >= limits.share * bytes
    )
    .map((index) =>
      indexStep(
        "reindex",
        index,
        `an estimated ${percent(index.bloatBytes! / index.bytes)} of it is bloat`,
        index.mayMaintain
      )
    )

/** What there is to do for a log as it stands. What is bloated can be told better once statistics are fresh. */
export const planOf = ({ tables, indexes }: Survey, limits: BloatLimits): ReadonlyArray<Step> => [
  ...brokenIndexes(indexes),
  ...staleTables(tables),
  ...bloatedIndexes(indexes, limits)
]
