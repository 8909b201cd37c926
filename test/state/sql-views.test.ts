import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, test } from "vitest"
import { packageFile } from "../../src/postgres/sql-file.ts"
import { random, seedFor } from "../support/random.ts"
import { testLog } from "../log/test-log.ts"
import { damageEvent } from "./damage.ts"
import { folded } from "./folded.ts"
import { history } from "./histories.ts"
import { snapshot } from "./sql-state.ts"

// agent_states and state_versions, as psql sees them.

const log = testLog()
const AGENT = "seen"
const HISTORY = 80

interface StateRow {
  readonly id: string
  readonly branch: string
  readonly version: string
  readonly local_state: unknown
  readonly shared_state: unknown
  readonly session_state: unknown
  readonly persistent_state: unknown
  readonly state_hash: string
  readonly modification_count: number
  readonly valid_from: Date
  readonly valid_until: Date | null
  readonly is_current: boolean
  readonly [column: string]: unknown
}

interface VersionRow {
  readonly branch: string
  readonly version: string
  readonly [column: string]: unknown
}

const statesOf = (agent: string) =>
  log.db.query<StateRow>(
    "select * from tidemark.agent_states where agent_id = $1 order by branch, version::bigint",
    [agent]
  )

const versionsOf = (agent: string) =>
  log.db.query<VersionRow>(
    "select * from tidemark.state_versions where agent = $1 order by branch, version",
    [agent]
  )

let live: ReadonlySet<string> = new Set()

beforeAll(async () => {
  const agents = [AGENT, "other"]
  const seed = seedFor("views of states")
  for (const [nth, agent] of agents.entries()) {
    const made = await history(log.engine, agent, random(seed + nth), HISTORY)
    if (agent === AGENT) ({ live } = made)
  }
  await folded(log)
})

describe("agent_states", () => {
  test("has each version that changed a state, as the library reads it", async () => {
    const rows = await statesOf(AGENT)
    const events = await log.db.query<{ id: string; branch: string; version: string; at: Date }>(
      `select event.id, branch.name as branch, event.version, event.recorded_at as at
       from tidemark.state_branches branch join tidemark.events event using (stream)
       where agent = $1 and event.version between born and branch.version and event.data ? 'hash'`,
      [AGENT]
    )
    expect(rows.map(({ id }) => id).toSorted()).toEqual(events.map(({ id }) => id).toSorted())
    for (const row of rows) {
      const { branch, version } = row
      const read = await snapshot(log.engine.state(AGENT, { branch }), { version: Number(version) })
      expect({
        local: row.local_state,
        shared: row.shared_state,
        session: row.session_state,
        persistent: row.persistent_state,
        hash: row.state_hash
      }).toEqual({
        local: read.local,
        shared: read.shared,
        session: read.session,
        persistent: read.persistent,
        hash: read.hash
      })
      expect(row.valid_from).toEqual(events.find(({ id }) => id === row.id)!.at)
    }
  })

  test("says until when each was so, how many there were, and which are so now", async () => {
    const branches = await log.db.query<{ branch: string; name: string; deleted_at: Date | null }>(
      "select branch, name, deleted_at from tidemark.state_branches where agent = $1",
      [AGENT]
    )
    const current = (await statesOf(AGENT)).filter(({ is_current }) => is_current)
    expect(current.map(({ branch }) => branch).toSorted()).toEqual([...live].toSorted())
    for (const { branch, name, deleted_at } of branches) {
      const rows = await log.db.query<StateRow>(
        `select states.* from tidemark.agent_states states
         join tidemark.state_branches one on one.agent = agent_id and one.name = states.branch
         where agent_id = $1 and one.branch = $2 and states.version::bigint between one.born and one.version
         order by states.version::bigint`,
        [AGENT, branch]
      )
      expect(rows.length).toBeGreaterThan(0)
      for (const [nth, row] of rows.entries()) {
        const next = rows[nth + 1]
        expect(row).toMatchObject({
          branch: name,
          modification_count: nth + 1,
          valid_until: next?.valid_from ?? deleted_at,
          is_current: next === undefined && deleted_at === null
        })
      }
    }
  })

  test("has the columns that schema/README.md says, and so have the other views", async () => {
    const readme = readFileSync(packageFile("#schema/README.md"), "utf8")
    for (const view of ["agent_states", "state_versions", "state_conflict_inbox"]) {
      const columns = await log.db.query(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = $1::regclass and attnum > 0 order by attnum`,
        [`tidemark.${view}`]
      )
      const section = readme.slice(readme.indexOf(`### ${view}`)).split(/\n#+ |\n\n[^|]/)
      const table = section.find((part) => part.includes("| column |"))
      const listed = [...table!.matchAll(/^\| `(\w+)` \| `([^`]+)` \|/gm)].map(([, name, type]) => ({
        name,
        type
      }))
      expect(listed).toEqual(columns)
    }
  })
})

describe("the tiers of agent_states", () => {
  /** How many tiers a query makes. */
  const made = async (sql: string, params: ReadonlyArray<unknown> = []) => {
    await using session = await log.session()
    await session.query("set track_functions = 'pl'")
    await session.query("begin")
    const rows = await session.query(sql, params)
    const [calls] = await session.query<{ n: number }>(
      "select coalesce(pg_stat_get_xact_function_calls('state_tier_at'::regproc), 0)::integer as n"
    )
    await session.query("rollback")
    return { rows: rows.length, tiers: calls!.n }
  }

  test.each([
    ["branch = 'main' and is_current", 1],
    ["is_current and agent_id = 'seen' and branch = 'main'", 1],
    ["version = '2' and branch = 'main'", 1],
    ["version = '999999'", 0],
    ["branch = 'none'", 0],
    ["valid_from > 'infinity'", 0],
    ["modification_count = 2 and branch = 'main'", 1],
    ["valid_until is null and branch = 'main'", 1]
  ])("are made of the rows alone for which %s", async (condition, rows) => {
    const sql = `select * from agent_states where agent_id = 'seen' and ${condition}`
    expect(await made(sql)).toEqual({ rows, tiers: 4 * rows })
  })

  test.each([
    ["select version, state_hash, valid_until from agent_states where agent_id = 'seen'", 0],
    ["select count(*) from agent_states", 0],
    ["select local_state from agent_states where agent_id = 'seen' and branch = 'main' and is_current", 1],
    ["select shared_state from agent_states where agent_id = 'seen' order by valid_from desc limit 3", 3],
    [
      "select state.local_state from state_branches one join agent_states state on state.agent_id = one.agent and state.branch = one.name where one.agent = 'seen' and one.name = 'main' and state.is_current",
      1
    ],
    [
      "select agent.local_state from agent_states agent join state_tags tag on tag.agent = agent.agent_id where is_current",
      0
    ]
  ])("are made where they are asked for: %s", async (sql, tiers) => {
    const outcome = await made(sql.replace("using (branch)", "one on one.name = agent_states.branch"))
    expect(outcome).toMatchObject({ tiers })
  })
})

describe("state_versions", () => {
  test("tells of each version what the library's history tells", async () => {
    const rows = await versionsOf(AGENT)
    for (const name of live) {
      const state = log.engine.state(AGENT, { branch: name })
      const entries = await state.history({ limit: 1_000 })
      for (const entry of entries) {
        const row = rows.find(({ position }) => Number(position) === entry.position)!
        expect(row).toMatchObject({
          branch: entry.branch,
          version: String(entry.version),
          id: entry.id,
          kind: entry.type,
          created_at: entry.at,
          author: entry.author ?? null,
          actor: entry.actor ?? null,
          reason: entry.reason ?? null,
          message: entry.message ?? null
        })
        const { hash } = await log.engine
          .state(AGENT, { branch: entry.branch })
          .read({ version: entry.version, tiers: [] })
        expect(row["state_hash"]).toBe(hash)
        const parents = row["parents"] as ReadonlyArray<{ branch: string; version: number }>
        if (entry.source !== undefined) expect(parents).toContainEqual(entry.source)
        const before = entry.type === "StateCreated" || entry.type === "StateBranched"
        if (!before) expect(parents[0]).toEqual({ branch: entry.branch, version: entry.version - 1 })
        const own = entry.type === "StateCreated" ? 0 : 1
        expect(parents).toHaveLength(entry.type === "StateMerged" ? 2 : own)
      }
    }
  })

  test("has a merge's two parents, a repair's last good version, and nothing that this passed over", async () => {
    const state = log.engine.state("mended")
    for (const n of [1, 2, 3]) await state.update({ local: { n } })
    await damageEvent(log, state, 3)
    const engine = await log.open()
    await engine.rebuild("states")
    const mended = engine.state("mended")
    await mended.repair()
    await mended.branch("side")
    await mended.on("side").update({ shared: { m: 1 } })
    await mended.update({ local: { n: 4 } })
    await mended.merge("side")
    await folded(log)
    const rows = (await versionsOf("mended")).filter(({ branch }) => branch === "main")
    expect(rows.map(({ version, kind, parents }) => ({ version, kind, parents }))).toEqual([
      { version: "1", kind: "StateCreated", parents: [] },
      { version: "2", kind: "StateChanged", parents: [{ branch: "main", version: 1 }] },
      { version: "5", kind: "StateRepaired", parents: [{ branch: "main", version: 2 }] },
      { version: "6", kind: "StateChanged", parents: [{ branch: "main", version: 5 }] },
      {
        version: "7",
        kind: "StateMerged",
        parents: [
          { branch: "main", version: 6 },
          { branch: "side", version: 2 }
        ]
      }
    ])
    expect(
      (await statesOf("mended"))
        .filter(({ branch }) => branch === "main")
        .map(({ version }) => version)
        .toSorted()
    ).toEqual(["1", "2", "5", "6", "7"])
  })
})

test("both show the same after a rebuild, and go on", async () => {
  const before = [await statesOf(AGENT), await versionsOf(AGENT)]
  const engine = await log.open()
  await engine.rebuild("states", { verify: true })
  expect([await statesOf(AGENT), await versionsOf(AGENT)]).toEqual(before)
  await log.engine.state(AGENT).update({ local: { since: "the rebuild" } })
  await folded(log)
  const [row] = await log.db.query<StateRow>(
    "select local_state from tidemark.agent_states where agent_id = $1 and branch = 'main' and is_current",
    [AGENT]
  )
  expect(row!.local_state).toMatchObject({ since: "the rebuild" })
})
