import type { Advice } from "./advice.ts"
import type { Facts } from "./facts.ts"

/** Readers wait; an append takes milliseconds, so one that keeps them this long is stuck, in ms. */
const LONGEST_HOLD_MS = 10_000

/** A read model that nobody folds for so long is not only changing hands, in ms. */
const LONGEST_LAG_MS = 60_000

/** What a slot keeps of the write-ahead log for a reader that lives, in bytes. */
const MOST_RETAINED = 10 * 1024 ** 3
const GIGABYTE = 1024 ** 3
const SECOND = 1_000
const MINUTE = 60 * SECOND

const duration = (ms: number): string =>
  ms < MINUTE ? `${Math.round(ms / SECOND)} s` : `${Math.round(ms / MINUTE)} min`

const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`

const ending = (pids: ReadonlyArray<number | null>): ReadonlyArray<string> =>
  [...new Set(pids)].flatMap((pid) => (pid === null ? [] : [`select pg_terminate_backend(${pid});`]))

const who = ({ pid, application, user, ageMs }: Facts["transactions"][number]): string =>
  pid === null
    ? `a prepared transaction of ${user ?? "somebody"}, for ${duration(ageMs)}`
    : `pid ${pid} (${application || "no name"}, ${user ?? "unknown"}) for ${duration(ageMs)}`

const PREPARED_REMEDY = "commit prepared or rollback prepared what pg_prepared_xacts lists"

const slotText = ({ name, retainedBytes }: Facts["server"]["slots"][number]): string =>
  retainedBytes === null ? name : `${name} (keeps ${(retainedBytes / GIGABYTE).toFixed(1)} GB)`

/** That the log goes on, and everything that follows it. */
export const theLog: ReadonlyArray<Advice> = [
  {
    name: "tail of the log",
    advised: `settled within ${duration(LONGEST_HOLD_MS)}`,
    why: "readers see no event before every append below it has ended: one that hangs holds all of them up",
    severity: "problem",
    judge: ({ status: { unsettledForMs, feed } }) => {
      if (feed.heldBy.length === 0 || unsettledForMs < LONGEST_HOLD_MS) return undefined
      const isPrepared = feed.heldBy.some(({ pid }) => pid === null)
      return {
        found: `held for ${duration(unsettledForMs)} by ${feed.heldBy.map(({ pid }) => (pid === null ? "a prepared transaction" : `pid ${pid}`)).join(", ")}`,
        statements: ending(feed.heldBy.map(({ pid }) => pid)),
        ...(isPrepared ? { remedy: PREPARED_REMEDY } : {})
      }
    }
  },
  {
    name: "read models",
    advised: "none has stopped",
    why: "what a fold fails on stops its read model there, and its queries answer with what it had",
    severity: "problem",
    judge: ({ status: { projections } }) => {
      const stopped = projections.filter(({ state }) => state === "stopped")
      return stopped.length === 0
        ? undefined
        : {
            found: stopped.map(({ name, error }) => `${name}: ${error?.message ?? "stopped"}`).join("; "),
            remedy: "mend the fold, and build it again: tidemark rebuild <name>"
          }
    }
  },
  {
    name: "folding of read models",
    advised: `at most ${duration(LONGEST_LAG_MS)} behind the log`,
    why: "queries are as old as that; where no engine of the owner's runs, nobody folds",
    severity: "warning",
    judge: ({ status: { projections } }) => {
      const late = projections.filter(
        ({ lag, lagMs, state }) =>
          state !== "stopped" && lag.atMost > 0 && (lagMs === undefined || lagMs > LONGEST_LAG_MS)
      )
      return late.length === 0
        ? undefined
        : {
            found: late
              .map(
                ({ name, lag, owner }) =>
                  `${name}: ${lag.atMost} behind, folded by ${owner === undefined ? "nobody" : `${owner.application} on ${owner.host}`}`
              )
              .join("; "),
            remedy: "see that an engine that may make tables runs, and is not starved"
          }
    }
  },
  {
    name: "subscriptions",
    advised: "no partition has stopped",
    why: "what is stopped hands over nothing more until it is resumed",
    severity: "problem",
    judge: ({ status: { durable } }) => {
      const stopped = durable.filter(({ partitions }) => partitions.some(({ state }) => state === "stopped"))
      return stopped.length === 0
        ? undefined
        : {
            found: stopped.map(({ name }) => name).join(", "),
            remedy: "look at status().error, and engine.subscription(name).resume()"
          }
    }
  },
  {
    name: "parked events",
    advised: "none",
    why: "they failed as often as they were to be tried, and what follows in their streams waits behind them",
    severity: "warning",
    judge: ({ status: { durable } }) => {
      const parking = durable.filter(({ held }) => held.parked > 0)
      return parking.length === 0
        ? undefined
        : {
            found: parking.map(({ name, held }) => `${held.parked} of ${name}`).join(", "),
            remedy: "engine.subscription(name).parked() says why; then retry() or drop() them"
          }
    }
  },
  {
    name: "synchronisations",
    advised: "none is parked",
    why: "what links and syncs could not bring waits for somebody",
    severity: "warning",
    judge: ({ status: { sync } }) =>
      sync.parked === 0 && sync.broken.length === 0
        ? undefined
        : {
            found: `${sync.parked} parked, ${sync.broken.length} targets left alone for a while`,
            remedy: "engine.syncQueue.list() says why; then retry()"
          }
  },
  {
    name: "telemetry partitions",
    advised: "one ahead, at least",
    why: "the append that needs one that is not there makes it, and waits for that",
    severity: "warning",
    judge: ({ status: { telemetry } }) =>
      telemetry.warning === undefined
        ? undefined
        : { found: "none ahead", remedy: "let an engine of the owner's or a writer's run" }
  },
  {
    name: "this engine's feed",
    advised: "it reads",
    why: "its subscriptions hear of nothing while it cannot",
    severity: "warning",
    judge: ({ status: { feed } }) =>
      feed.error === undefined
        ? undefined
        : { found: feed.error, remedy: "it tries again by itself; see what the error says" }
  },
  {
    name: "long transactions",
    advised: "none for more than 5 min",
    why: "VACUUM leaves every row that died since one began, in all tables, and building an index waits for its end",
    severity: "warning",
    judge: ({ transactions }) =>
      transactions.length === 0
        ? undefined
        : {
            found: transactions.map(who).join(", "),
            statements: ending(transactions.map(({ pid }) => pid)),
            ...(transactions.some(({ pid }) => pid === null) ? { remedy: PREPARED_REMEDY } : {})
          }
  },
  {
    name: "replication slots",
    advised: "each has a reader, and keeps less than 10 GB for it",
    why: "a slot that nobody reads keeps the write-ahead log until the disk is full, and may keep dead rows as well",
    severity: "warning",
    judge: ({ server: { slots } }) => {
      const stale = slots.filter(
        ({ isActive, walStatus, retainedBytes }) =>
          !isActive || walStatus === "lost" || (retainedBytes ?? 0) > MOST_RETAINED
      )
      const unread = stale.filter(({ isActive }) => !isActive)
      return stale.length === 0
        ? undefined
        : {
            found: stale.map(slotText).join(", "),
            statements: unread.map(({ name }) => `select pg_drop_replication_slot(${literal(name)});`),
            remedy:
              "drop it only if its reader does not come back; max_slot_wal_keep_size bounds what slots keep"
          }
    }
  }
]
