import type { Findings, IndexStanding, Left, MaintenanceTotals, StepDone, TableStanding } from "./event.ts"
import type { Survey, SurveyedIndex, SurveyedTable } from "./survey.ts"

/** How many of a list an event holds: what is small is not worth its place, and an event holds 1 MiB. */
export const MOST_LISTED = 50

/** The same of what was done. */
export const MOST_STEPS = 500

const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number | null): number =>
  all.reduce((total, one) => total + (of(one) ?? 0), 0)

const totalsOf = ({ tables, indexes }: Survey): MaintenanceTotals => ({
  tables: tables.filter(({ isPartitioned }) => !isPartitioned).length,
  indexes: indexes.length,
  bytes: sum(tables, ({ bytes }) => bytes),
  indexBytes: sum(indexes, ({ bytes }) => bytes),
  deadRows: sum(tables, ({ deadRows }) => deadRows),
  bloatBytes: sum(tables, ({ bloatBytes }) => bloatBytes),
  indexBloatBytes: sum(indexes, ({ bloatBytes }) => bloatBytes)
})

const standingOf = ({
  owner: _owner,
  mayMaintain: _may,
  hasPages: _has,
  ...table
}: SurveyedTable): TableStanding => table

const indexStandingOf = ({
  index,
  table,
  bytes,
  bloatBytes,
  isValid,
  scans
}: SurveyedIndex): IndexStanding => ({
  index,
  table,
  bytes,
  bloatBytes,
  isValid,
  scans
})

export interface Outcome {
  readonly steps: ReadonlyArray<StepDone>
  readonly left: ReadonlyArray<Left>
  readonly tookMs: number
  readonly isInterrupted: boolean
}

/** What is told of a log that stands like this, after what was done. */
export const findingsOf = (found: Survey, { steps, left, tookMs, isInterrupted }: Outcome): Findings => ({
  isInterrupted,
  tookMs: Math.round(tookMs),
  steps: [...steps],
  totals: totalsOf(found),
  tables: found.tables.map(standingOf),
  indexes: found.indexes.map(indexStandingOf),
  transactions: found.transactions,
  transactionIds: found.transactionIds,
  left: [...found.left, ...left]
})

/** As much of it as belongs into an event. */
export const cutForLog = (findings: Findings): Findings => ({
  ...findings,
  steps: findings.steps.slice(0, MOST_STEPS),
  tables: findings.tables.slice(0, MOST_LISTED),
  indexes: findings.indexes.slice(0, MOST_LISTED),
  transactions: findings.transactions.slice(0, MOST_LISTED),
  left: findings.left.slice(0, MOST_LISTED)
})
