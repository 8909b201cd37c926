import { quoted } from "../../postgres/identifier.ts"
import type { Advice } from "./advice.ts"
import { type BigTable, BIG_TABLE_ROWS } from "./facts.ts"
import { bytesOf, isOn, millisecondsOf, numberOf, settingOf, sizeSetting, timeSetting } from "./setting.ts"

const GIGABYTE = 1024 ** 3
const MINUTE = 60_000

/** The longer between checkpoints, the fewer pages are written whole into the write-ahead log. */
const LEAST_CHECKPOINT_MS = 10 * MINUTE
const ADVISED_CHECKPOINT_MS = 15 * MINUTE
const LEAST_WAL_SIZE = 2 * GIGABYTE
const ADVISED_WAL_SIZE = 4 * GIGABYTE
const LEAST_COMPLETION = 0.9

const LONGEST_NAP_MS = 5 * MINUTE

/** The share of a big table's rows that may be new or dead before autovacuum comes. */
const MOST_SCALE_FACTOR = 0.05
const ADVISED_SCALE_FACTOR = 0.02

/** What a big table is looked after by. */
const SCALE_FACTORS = [
  "autovacuum_vacuum_scale_factor",
  "autovacuum_vacuum_insert_scale_factor",
  "autovacuum_analyze_scale_factor"
] as const

/** The server takes no more writes some 2.1 thousand million transaction ids after the oldest that is not frozen. */
const OLD_TRANSACTION_IDS = 500_000_000
const LAST_TRANSACTION_IDS = 1_500_000_000

const switchedOn = (name: string, why: string): Advice => ({
  name,
  advised: "on",
  why,
  severity: "problem",
  reads: [name],
  judge: (facts) => (isOn(facts, name) ? undefined : { found: "off", set: { [name]: "on" } })
})

const ownFactor = ({ options }: BigTable, name: string): number | undefined => {
  const own = options.find((option) => option.startsWith(`${name}=`))
  return own === undefined ? undefined : Number(own.slice(name.length + 1))
}

const transactionIds = (
  name: string,
  severity: Advice["severity"],
  isIll: (age: number) => boolean,
  advised: number
): Advice => ({
  name,
  advised: `below ${advised / 1_000_000} million`,
  why: "autovacuum freezes old rows so that transaction ids can be used again; where something holds it back until they run out, the server takes no writes any more",
  severity,
  judge: ({ server: { transactionIdAge } }) =>
    isIll(transactionIdAge)
      ? {
          found: `${Math.round(transactionIdAge / 1_000_000)} million`,
          statements: ["vacuum (freeze, verbose);"],
          remedy: "first end what holds it back: old transactions, prepared ones, and slots that nobody reads"
        }
      : undefined
})

/** That writing is cheap, and that what is dead goes. */
export const writing: ReadonlyArray<Advice> = [
  {
    name: "checkpoint_timeout",
    advised: timeSetting(ADVISED_CHECKPOINT_MS),
    why: "after each checkpoint every page is written whole once more: a log that is always appended to writes half as much with fewer of them; a restart after a crash takes longer",
    severity: "hint",
    reads: ["checkpoint_timeout"],
    judge: (facts) => {
      const ms = millisecondsOf(facts, "checkpoint_timeout")
      return ms >= LEAST_CHECKPOINT_MS
        ? undefined
        : { found: timeSetting(ms), set: { checkpoint_timeout: timeSetting(ADVISED_CHECKPOINT_MS) } }
    }
  },
  {
    name: "max_wal_size",
    advised: sizeSetting(ADVISED_WAL_SIZE),
    why: "40 000 events a second fill a gigabyte within a minute, and a checkpoint is forced each time; it needs that much room on the disk",
    severity: "hint",
    reads: ["max_wal_size"],
    judge: (facts) => {
      const bytes = bytesOf(facts, "max_wal_size")
      return bytes >= LEAST_WAL_SIZE
        ? undefined
        : { found: sizeSetting(bytes), set: { max_wal_size: sizeSetting(ADVISED_WAL_SIZE) } }
    }
  },
  {
    name: "checkpoint_completion_target",
    advised: String(LEAST_COMPLETION),
    why: "a checkpoint that writes all at once makes emits wait for the disk",
    severity: "hint",
    reads: ["checkpoint_completion_target"],
    judge: (facts) =>
      numberOf(facts, "checkpoint_completion_target") >= LEAST_COMPLETION
        ? undefined
        : {
            found: settingOf(facts, "checkpoint_completion_target").value,
            set: { checkpoint_completion_target: String(LEAST_COMPLETION) }
          }
  },
  switchedOn(
    "autovacuum",
    "heads of streams, cursors and read models are updated all the time: without it their dead rows grow without end, and statistics are as old as the tables"
  ),
  switchedOn("track_counts", "autovacuum and maintain see by these counts what there is to do"),
  {
    name: "autovacuum_naptime",
    advised: `at most ${timeSetting(LONGEST_NAP_MS)}`,
    why: "small tables that are updated all the time (heads, cursors) double within minutes",
    severity: "warning",
    reads: ["autovacuum_naptime"],
    judge: (facts) => {
      const ms = millisecondsOf(facts, "autovacuum_naptime")
      return ms <= LONGEST_NAP_MS
        ? undefined
        : { found: timeSetting(ms), set: { autovacuum_naptime: timeSetting(MINUTE) } }
    }
  },
  {
    name: "autovacuum of big tables",
    advised: `scale factors of ${ADVISED_SCALE_FACTOR} for tables from ${BIG_TABLE_ROWS / 1_000_000} million rows on`,
    why: "autovacuum comes when a fifth of a table is new or dead: of 100 million rows that is late, and then long",
    severity: "hint",
    reads: [...SCALE_FACTORS],
    judge: (facts) => {
      const late = facts.server.bigTables.filter((table) =>
        SCALE_FACTORS.some((name) => (ownFactor(table, name) ?? numberOf(facts, name)) > MOST_SCALE_FACTOR)
      )
      if (late.length === 0) return undefined
      const factors = SCALE_FACTORS.map((name) => `${name} = ${ADVISED_SCALE_FACTOR}`).join(", ")
      return {
        found: late.map(({ table, rows }) => `${table} (${Math.round(rows)} rows)`).join(", "),
        statements: late.map(
          ({ table }) => `alter table ${quoted(facts.schema)}.${quoted(table)} set (${factors});`
        )
      }
    }
  },
  transactionIds(
    "transaction ids are old",
    "warning",
    (age) => age >= OLD_TRANSACTION_IDS && age < LAST_TRANSACTION_IDS,
    OLD_TRANSACTION_IDS
  ),
  transactionIds(
    "transaction ids run out",
    "problem",
    (age) => age >= LAST_TRANSACTION_IDS,
    LAST_TRANSACTION_IDS
  )
]
