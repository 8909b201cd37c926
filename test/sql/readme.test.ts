import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, test } from "vitest"
import { packageFile } from "../../src/postgres/sql-file.ts"
import { OwnSqlState } from "../../src/postgres/sqlstate.ts"
import { testDatabase } from "../support/database.ts"

// schema/README.md is the reference of the functions that anybody may call: what it says is what the server has.

const db = testDatabase()
const readme = readFileSync(packageFile("#schema/README.md"), "utf8")

interface Entry {
  readonly name: string
  readonly parameters: string
  readonly returns: string
  readonly raises: string
  readonly text: string
}

const bullet = (text: string, word: string): string =>
  new RegExp(`^- ${word} ?((?:.+\\n?)(?:  .+\\n?)*)`, "m").exec(text)?.[1] ?? ""

/** What is said of each function, by its heading. */
const entries: ReadonlyArray<Entry> = readme.split(/^(?=#{2,3} )/m).flatMap((text) => {
  const heading = /^### (\w+)\((.*)\)$/m.exec(text)
  if (heading === null) return []
  const returns = /^`([^`]+)`/.exec(bullet(text, "Returns"))?.[1] ?? ""
  return [{ name: heading[1]!, parameters: heading[2]!, returns, raises: bullet(text, "Raises"), text }]
})

interface Made {
  readonly name: string
  readonly parameters: string
  readonly returns: string
  readonly body: string
}

let functions: ReadonlyMap<string, Made>

/** As it would be written by hand: PostgreSQL writes a type beside each default, and an interval in its own way. */
const byHand = (text: string): string =>
  text
    .replaceAll(/ DEFAULT /g, " = ")
    .replaceAll(/::(?:timestamp with time zone|\w+)/g, "")
    .replaceAll("'00:00:01'", "'1 second'")
    .replaceAll("NULL", "null")
    .replaceAll('"', "")
    .replace(/^(?:TABLE|SETOF)/, (word) => word.toLowerCase())
    .replace("tidemark.", "")

beforeAll(async () => {
  const rows = await db.query<Made & Record<string, unknown>>(
    `select p.proname as name, pg_get_function_arguments(p.oid) as parameters, pg_get_function_result(p.oid) as returns,
       regexp_replace(p.prosrc, '--[^\n]*', '', 'g') as body
     from pg_proc p where p.pronamespace = 'tidemark'::regnamespace`
  )
  functions = new Map(rows.map((row) => [row.name, row]))
})

/** The function and all that it calls, directly or not. */
const reached = (name: string, seen: Set<string> = new Set()): ReadonlySet<string> => {
  seen.add(name)
  for (const [called] of functions.get(name)!.body.matchAll(/\b\w+(?=\s*\()/g))
    if (functions.has(called) && !seen.has(called)) reached(called, seen)
  return seen
}

const STATE = /TM\d{3}/g
const statesIn = (text: string): ReadonlyArray<string> => [...new Set(text.match(STATE) ?? [])].toSorted()

const RAISE = /raise exception[^;]*errcode = '(TM\d{3})'[^;]*;/g

/** Splits at the commas that are in no parentheses. */
const parted = (text: string): ReadonlyArray<string> => {
  const parts = [""]
  let depth = 0
  for (const character of text) {
    if (character === "(") depth += 1
    if (character === ")") depth -= 1
    if (depth < 0) break
    if (character === "," && depth === 0) parts.push("")
    else parts[parts.length - 1] += character
  }
  return parts.map((part) => part.trim())
}

/** The facts that a raise gives in DETAIL, by their names; undefined where it gives none. */
const factsOf = (raise: string): ReadonlyArray<string> | undefined => {
  const start = /detail = jsonb_build_object\(/.exec(raise)
  if (start === null) return undefined
  return parted(raise.slice(start.index + start[0].length))
    .filter((_, at) => at % 2 === 0)
    .map((name) => name.replaceAll("'", ""))
}

const raises = () =>
  [...functions.values()].flatMap(({ name, body }) =>
    [...body.matchAll(RAISE)].map(([raise, state]) => ({ name, state: state!, facts: factsOf(raise) }))
  )

const rows = readme.split("\n").flatMap((line) => {
  const row = /^\| `(TM\d{3})` \| (.*) \| (.*) \|$/.exec(line)
  return row === null ? [] : [{ state: row[1]!, detail: row[3]! }]
})

const PUBLIC = [
  "append_events",
  "declare_category",
  "read_stream",
  "read_log",
  "settled_position",
  "settle",
  "stream_version",
  "wake",
  "get_current_state",
  "get_state_at_version",
  "get_state_at_time",
  "get_state_statistics",
  "create_state_checkpoint",
  "restore_state_checkpoint",
  "cleanup_expired_states"
]

describe("the README of the schema", () => {
  test("names the public functions", () => {
    expect(entries.map(({ name }) => name)).toEqual(PUBLIC)
  })

  test.each(entries)(
    "gives $name the parameters and the result that it has",
    ({ name, parameters, returns }) => {
      const made = functions.get(name)!
      expect({ parameters, returns }).toEqual({
        parameters: byHand(made.parameters),
        returns: byHand(made.returns)
      })
    }
  )

  test.each(entries)(
    "says of $name which of Tidemark's SQLSTATEs it raises, all and no other",
    ({ name, raises }) => {
      const made = [...reached(name)]
        .map((one) => [...functions.get(one)!.body.matchAll(RAISE)].join("\n"))
        .join("\n")
      expect(statesIn(raises)).toEqual(statesIn(made))
      if (statesIn(made).length === 0) expect(raises).toContain("nothing of its own")
    }
  )

  test.each(entries)("says of $name when others hear of it", ({ text }) => {
    expect(bullet(text, "Others hear")).not.toBe("")
  })

  test("lists the columns of log_events with their types", async () => {
    const columns = await db.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = 'tidemark.log_events'::regclass and attnum > 0 order by attnum`
    )
    const section = readme.slice(readme.indexOf("### log_events"), readme.indexOf("## SQLSTATEs"))
    const listed = [...section.matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)].map(([, name, type]) => ({
      name,
      type
    }))
    expect(listed).toEqual(columns)
  })

  test("lists each SQLSTATE that the library knows as Tidemark's own, and that the schema raises", () => {
    const known = Object.values(OwnSqlState).toSorted()
    expect(rows.map(({ state }) => state)).toEqual(known)
    expect([...new Set(raises().map(({ state }) => state))].toSorted()).toEqual(known)
    expect(statesIn(readme)).toEqual(known)
  })

  test("promises facts in DETAIL, which every raise gives, by the names that it lists", () => {
    expect(raises().length).toBeGreaterThan(10)
    expect(raises().filter(({ facts }) => facts === undefined)).toEqual([])
    for (const { state, detail } of rows) {
      const listed = [...detail.matchAll(/"(\w+)"/g)].map(([, name]) => name!)
      const given = raises().flatMap((one) => (one.state === state ? (one.facts ?? []) : []))
      expect({ state, facts: [...new Set(listed)].toSorted() }).toEqual({
        state,
        facts: [...new Set(given)].toSorted()
      })
    }
  })
})
