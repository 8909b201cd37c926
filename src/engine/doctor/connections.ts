import { DEFAULT_ANSWER_TIMEOUT_MS } from "../../postgres/pool.ts"
import { IDLE_IN_TRANSACTION_MS } from "../../postgres/postgres.ts"
import type { Advice } from "./advice.ts"
import type { Facts } from "./facts.ts"
import { millisecondsOf, numberOf, settingOf, timeSetting } from "./setting.ts"

/** What an engine has beside its pool: a connection that listens, and one that notifies. */
const BESIDE_THE_POOL = 2

/** What is left for others: people, backups, monitoring, in connections. */
const FOR_OTHERS = 10

/** Above this share in use, the next engine may find none. */
const MOST_IN_USE = 0.9

/** How long a transaction may sit idle, by advice, in ms. */
const ADVISED_IDLE_MS = 60_000

/** How soon the server is to look after a silent peer, by advice, in ms. */
const ADVISED_KEEPALIVE_MS = 60_000

/** Rows are folded and indexes built in transactions that take longer than a query, in ms. */
const SHORTEST_TRANSACTION_MS = 60_000

/** From here on the queue of notifications does not empty; from there it is about to be full. */
const QUEUE_FILLS = 0.05
const QUEUE_IS_FULL = 0.5

/** Statements of one kind that look at all of the telemetry at the same time. */
const AT_ONCE = 10

const reservedOf = (facts: Facts): number =>
  numberOf(facts, "superuser_reserved_connections") +
  Number(facts.server.settings["reserved_connections"]?.value ?? 0)

const neededOf = ({ server, poolSize }: Facts): number =>
  Math.max(1, server.engines) * (poolSize + BESIDE_THE_POOL)

const toTens = (count: number): number => Math.ceil(count / 10) * 10

/** A time-out of the session that is set, and shorter than what it would cut. */
const atLeast = (name: string, shortestMs: number, why: string): Advice => ({
  name,
  advised: `0, or ${timeSetting(shortestMs)} and more`,
  why,
  severity: "warning",
  reads: [name],
  judge: (facts) => {
    const ms = millisecondsOf(facts, name)
    return ms === 0 || ms >= shortestMs ? undefined : { found: timeSetting(ms), set: { [name]: "0" } }
  }
})

const locksOf = ({ server: { partitions, partitionIndexes } }: Facts): number => partitions + partitionIndexes

const percent = (share: number): string => `${Math.round(share * 100)} %`

const queue = (name: string, severity: Advice["severity"], isIll: (usage: number) => boolean): Advice => ({
  name,
  advised: severity === "problem" ? `below ${percent(QUEUE_IS_FULL)}` : `below ${percent(QUEUE_FILLS)}`,
  why: "a session that listens and sits in a transaction keeps the queue of NOTIFY from emptying; where it is full, every transaction that notifies fails",
  severity,
  judge: ({ server: { notifyQueueUsage } }) =>
    isIll(notifyQueueUsage)
      ? {
          found: percent(notifyQueueUsage),
          remedy: "the server's log names the session in the way; end its transaction"
        }
      : undefined
})

/** That there are connections and locks enough, and that none that nobody uses is in the way. */
export const connections: ReadonlyArray<Advice> = [
  {
    name: "max_connections",
    advised: "what the engines' pools may open, and 10 for others",
    why: "an engine opens up to poolSize connections and two beside them; where the server has none left, emits wait and queries fail with Busy",
    severity: "warning",
    reads: ["max_connections", "superuser_reserved_connections"],
    judge: (facts) => {
      const most = numberOf(facts, "max_connections")
      const needed = neededOf(facts) + reservedOf(facts) + FOR_OTHERS
      return most >= needed
        ? undefined
        : {
            found: `${most}, of which ${Math.max(1, facts.server.engines)} engines with poolSize ${facts.poolSize} may take ${neededOf(facts)}`,
            set: { max_connections: String(toTens(needed)) },
            remedy: "or give the engines a smaller poolSize, or put a pooler in between"
          }
    }
  },
  {
    name: "connections in use",
    advised: `at most ${percent(MOST_IN_USE)} of max_connections`,
    why: "the next one that is needed may be refused",
    severity: "warning",
    reads: ["max_connections", "superuser_reserved_connections"],
    judge: (facts) => {
      const open = numberOf(facts, "max_connections") - reservedOf(facts)
      const { connections: used } = facts.server
      return used <= MOST_IN_USE * open
        ? undefined
        : {
            found: `${used} of ${open}`,
            remedy: "see who has them in pg_stat_activity; raise max_connections, or put a pooler in between"
          }
    }
  },
  {
    name: "pooler",
    advised: "wake names the server itself, where database names a pooler",
    why: "behind a pooler LISTEN is not heard, and readers find events by looking every 250 ms; with wake they hear of them at once",
    severity: "hint",
    judge: ({ status: { pooled, wake } }) =>
      pooled && wake.mode === "polling"
        ? {
            found: `a pooler is in between: ${wake.reason}`,
            remedy: "open({ database: pooler, wake: server })"
          }
        : undefined
  },
  {
    name: "idle_in_transaction_session_timeout",
    advised: timeSetting(ADVISED_IDLE_MS),
    why: `readers of the log wait for a transaction that has appended and sits idle, for as long as it does; Tidemark's own end after ${timeSetting(IDLE_IN_TRANSACTION_MS)} whatever is set, others' do not`,
    severity: "warning",
    reads: ["idle_in_transaction_session_timeout"],
    judge: (facts) =>
      millisecondsOf(facts, "idle_in_transaction_session_timeout") === 0
        ? { found: "0: never", set: { idle_in_transaction_session_timeout: timeSetting(ADVISED_IDLE_MS) } }
        : undefined
  },
  atLeast(
    "statement_timeout",
    DEFAULT_ANSWER_TIMEOUT_MS,
    `an engine gives a statement up by itself after ${timeSetting(DEFAULT_ANSWER_TIMEOUT_MS)} (answerTimeoutMs); one that the server cuts before may be a rebuild's or a long list's`
  ),
  atLeast(
    "transaction_timeout",
    SHORTEST_TRANSACTION_MS,
    "rebuilds and transactional handlers work in transactions that may take longer than a query"
  ),
  {
    name: "idle_session_timeout",
    advised: "0",
    why: "the connection that listens is silent while nothing happens: it would be ended and opened again and again",
    severity: "warning",
    reads: ["idle_session_timeout"],
    judge: (facts) => {
      const ms = millisecondsOf(facts, "idle_session_timeout")
      return ms === 0 ? undefined : { found: timeSetting(ms), set: { idle_session_timeout: "0" } }
    }
  },
  {
    name: "tcp_keepalives_idle",
    advised: timeSetting(ADVISED_KEEPALIVE_MS),
    why: "a client whose machine is gone without a word keeps its transaction, and what waits for it, until the server asks: after two hours by most systems' default",
    severity: "hint",
    reads: ["tcp_keepalives_idle"],
    judge: (facts) => {
      const ms = millisecondsOf(facts, "tcp_keepalives_idle")
      // Over a socket of the machine there is nothing to ask, and the setting shows as 0.
      if (facts.server.isLocal || (ms > 0 && ms <= ADVISED_KEEPALIVE_MS * 10)) return undefined
      return {
        found: ms === 0 ? "the system's default" : timeSetting(ms),
        set: { tcp_keepalives_idle: "60" }
      }
    }
  },
  {
    name: "max_locks_per_transaction",
    advised: "enough for 10 statements over all telemetry at once",
    why: "a statement over the whole log locks every partition of the telemetry with its indexes; where the table of locks is full, it fails with “out of shared memory”",
    severity: "warning",
    reads: ["max_locks_per_transaction", "max_connections", "max_prepared_transactions"],
    judge: (facts) => {
      const owners = numberOf(facts, "max_connections") + numberOf(facts, "max_prepared_transactions")
      const most = numberOf(facts, "max_locks_per_transaction")
      const needed = Math.ceil((locksOf(facts) * AT_ONCE) / owners)
      return needed <= most
        ? undefined
        : {
            found: `${most}, with ${facts.server.partitions} partitions and ${facts.server.partitionIndexes} indexes of theirs`,
            set: { max_locks_per_transaction: String(toTens(needed)) },
            remedy: "or let retention drop old partitions"
          }
    }
  },
  queue("notification queue is filling", "warning", (usage) => usage >= QUEUE_FILLS && usage < QUEUE_IS_FULL),
  queue("notification queue", "problem", (usage) => usage >= QUEUE_IS_FULL),
  {
    name: "default_transaction_read_only",
    advised: "off",
    why: "Tidemark writes; transactions that begin as read-only ones are refused",
    severity: "problem",
    reads: ["default_transaction_read_only"],
    judge: (facts) =>
      settingOf(facts, "default_transaction_read_only").value === "on" && !facts.server.isStandby
        ? { found: "on", set: { default_transaction_read_only: "off" } }
        : undefined
  }
]
