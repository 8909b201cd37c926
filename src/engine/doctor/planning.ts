import type { Advice } from "./advice.ts"
import { isOn, millisecondsOf, numberOf, settingOf, timeSetting } from "./setting.ts"

/** What a page read out of order costs on a disk that turns; on any other, little more than one in order. */
const COST_OF_A_DISK = 4
const ADVISED_PAGE_COST = 1.1

const LEAST_CONCURRENCY = 16
const ADVISED_CONCURRENCY = 200

const LEAST_QUERY_SIZE = 2_048
const SLOW_MS = 1_000

const METHODS = [
  "enable_bitmapscan",
  "enable_hashagg",
  "enable_hashjoin",
  "enable_indexonlyscan",
  "enable_indexscan",
  "enable_mergejoin",
  "enable_nestloop",
  "enable_seqscan",
  "enable_sort"
]

const STATEMENTS = "pg_stat_statements"

/** Of a setting that is a list of names, which may be quoted. */
const elementsOf = (list: string): ReadonlyArray<string> =>
  list
    .split(",")
    .map((element) => element.trim().replaceAll('"', ""))
    .filter((element) => element !== "")

/** That plans are as they should be, and that slow ones are seen. */
export const planning: ReadonlyArray<Advice> = [
  {
    name: "jit",
    advised: "off",
    why: "Tidemark's statements take milliseconds; compiling one, where a large table makes it look expensive, takes hundreds",
    severity: "hint",
    reads: ["jit"],
    judge: (facts) => (isOn(facts, "jit") ? { found: "on", set: { jit: "off" } } : undefined)
  },
  {
    name: "planner methods",
    advised: "on, all of them",
    why: "a method that is off costs every statement that needs it, Tidemark's as well; where one must not be used, Tidemark says so for itself",
    severity: "warning",
    reads: METHODS,
    judge: (facts) => {
      const off = METHODS.filter((name) => !isOn(facts, name))
      return off.length === 0
        ? undefined
        : {
            found: `${off.join(", ")} off`,
            set: Object.fromEntries(off.map((name) => [name, "on"]))
          }
    }
  },
  {
    name: "random_page_cost",
    advised: `${ADVISED_PAGE_COST}, unless the disk turns`,
    why: "at 4 the planner takes looking a row up for as dear as on a turning disk, and reads whole tables instead",
    severity: "hint",
    reads: ["random_page_cost"],
    judge: (facts) =>
      numberOf(facts, "random_page_cost") < COST_OF_A_DISK
        ? undefined
        : {
            found: settingOf(facts, "random_page_cost").value,
            set: { random_page_cost: String(ADVISED_PAGE_COST) }
          }
  },
  {
    name: "effective_io_concurrency",
    advised: `${ADVISED_CONCURRENCY}, unless the disk turns`,
    why: "replays and rebuilds wait for one page after the other where few are asked for ahead",
    severity: "hint",
    reads: ["effective_io_concurrency"],
    judge: (facts) =>
      numberOf(facts, "effective_io_concurrency") >= LEAST_CONCURRENCY
        ? undefined
        : {
            found: settingOf(facts, "effective_io_concurrency").value,
            set: { effective_io_concurrency: String(ADVISED_CONCURRENCY) }
          }
  },
  {
    name: "pg_stat_statements",
    advised: "in shared_preload_libraries, where the server has it",
    why: "it tells which statements take the time, of all processes together",
    severity: "hint",
    reads: ["shared_preload_libraries"],
    judge: (facts) => {
      const loaded = elementsOf(settingOf(facts, "shared_preload_libraries").value)
      // A server that is told to load what it does not have does not start.
      if (loaded.includes(STATEMENTS) || !facts.server.hasStatements) return undefined
      return {
        found: loaded.length === 0 ? "none" : loaded.join(", "),
        set: { shared_preload_libraries: [...loaded, STATEMENTS] },
        remedy: `after the restart: create extension ${STATEMENTS}`
      }
    }
  },
  {
    name: "track_activity_query_size",
    advised: String(LEAST_QUERY_SIZE),
    why: "pg_stat_activity cuts statements at a kilobyte, and some of Tidemark's are longer",
    severity: "hint",
    reads: ["track_activity_query_size"],
    judge: (facts) =>
      numberOf(facts, "track_activity_query_size") >= LEAST_QUERY_SIZE
        ? undefined
        : {
            found: settingOf(facts, "track_activity_query_size").value,
            set: { track_activity_query_size: String(LEAST_QUERY_SIZE) }
          }
  },
  {
    name: "log_min_duration_statement",
    advised: timeSetting(SLOW_MS),
    why: "the server's log tells statements that took long; log_parameter_max_length = 0 keeps their values, data of events among them, out of it",
    severity: "hint",
    reads: ["log_min_duration_statement", "log_parameter_max_length"],
    judge: (facts) =>
      millisecondsOf(facts, "log_min_duration_statement") >= 0
        ? undefined
        : {
            found: "-1: never",
            set: { log_min_duration_statement: timeSetting(SLOW_MS), log_parameter_max_length: "0" }
          }
  }
]
