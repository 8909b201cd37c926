import { states } from "../../projections/states/states.ts"
import { physicalName } from "../../src/projection/sql-source.ts"
import type { TestDatabase } from "../support/database.ts"

// The tables of states as they are where there are many, written by SQL: by events it would take minutes.

/** How many keys the first event of the large state changed. */
const KEYS = 3_000
/** At how many versions after that its one long key was changed. */
export const CHANGES = 3_000
/** How many other agents there are, each with a state of its own. */
const OTHERS = 5_000
/** How many streams there are of other things, of an event each. */
const OTHER_STREAMS = 30_000
/** How many branches begin one with the other on the large state, each with a few keys of its own. */
const DEPTH = 16

/** The version at which the keys of the large state were changed, all by one event. */
export const AT = 2
/** The last version of the other states, up to which each event changed all that they have. */
const LAST = AT + 2
/** The version of the large state with which the first branch begins. */
export const FORK = AT + CHANGES / 2

/** Its branch; those that begin with it follow, and then those of the other agents. */
export const LARGE = 1
export const DEEPEST = LARGE + DEPTH
export const streamOf = (branch: number): string => `state-main@a-${branch}`

const ALWAYS = Number.MAX_SAFE_INTEGER

/** As many patches as there are at most between two values of a key that are kept. */
const KEPT_EVERY = 256
const LONG = "x".repeat(9_000)

/** The state's tables are analysed by nobody, as right after a rebuild, or where autovacuum is behind. */
const unanalysed = async (db: TestDatabase): Promise<void> => {
  for (const relation of states.relations)
    await db.query(`alter table tidemark.${physicalName(relation, 1)} set (autovacuum_enabled = off)`)
}

const ALL = DEEPEST + OTHERS

const branches = `
  insert into tidemark.state_branches__1
    (branch, agent, name, stream, born, parent, parent_version, lineage, lineage_up_to, version, position, hash, created_at, changed_at)
  select
    n, 'a-' || n, 'main', 'state-main@a-' || n, 1, parent, case parent when ${LARGE} then ${FORK} else ${AT} end,
    array(select generate_series(n, first, -1)),
    ${ALWAYS} || array(select case before when ${LARGE} then ${FORK} else ${AT} end::bigint from generate_series(n - 1, first, -1) before),
    case n when ${LARGE} then ${AT + CHANGES} else ${LAST} end, n, '\\x00', now(), now()
  from (
    select n, case when n between 2 and ${DEEPEST} then n - 1 end as parent, case when n <= ${DEEPEST} then ${LARGE} else n end as first
    from generate_series(1, ${ALL}) n
  ) one`

/** The large state changes all its keys at once, and then one of them again and again; each other branch has three of its own. */
const versions = `
  insert into tidemark.state_key_versions__1 (branch, tier, key, version, is_absent, value)
  select ${LARGE}, 'shared', 'k' || n, ${AT}, false, null from generate_series(1, ${KEYS}) n
  union all
  select ${LARGE}, 'local', 'long', ${AT} + n, false, case when n % ${KEPT_EVERY} = 1 then to_jsonb('${LONG}'::text) end
  from generate_series(1, ${CHANGES}) n
  union all
  select branch, 'shared', 'own' || n, version, false, null
  from generate_series(${LARGE + 1}, ${ALL}) branch, generate_series(1, 3) n, generate_series(${AT}, ${LAST}) version`

const keys = `
  insert into tidemark.state_keys__1 (branch, tier, key, version, is_absent, value, bytes, patches, patch_bytes)
  select
    branch, tier, key, max(version), false,
    case tier when 'shared' then to_jsonb(branch || key) end, case tier when 'shared' then 20 else ${LONG.length} end, 0, 0
  from tidemark.state_key_versions__1
  group by branch, tier, key`

/** All have met the large state, but that itself, as a whole; and the keys of the small ones by themselves. */
const points = `
  insert into tidemark.state_points__1 (branch, version, known)
  select branch, 1, jsonb_build_object(${LARGE}, ${FORK})
  from tidemark.state_branches__1
  where branch > ${LARGE}`

const met = `
  insert into tidemark.state_known__1 (branch, tier, key, version, known)
  select branch, tier, key, version, jsonb_build_object(${LARGE}, ${FORK})
  from tidemark.state_key_versions__1
  where branch > ${DEEPEST}`

const events = `
  insert into tidemark.events (id, stream, version, type, data)
  select gen_random_uuid(), branch.stream, step, 'StateUpdated', '{"patch": [], "hash": "00"}'
  from tidemark.state_branches__1 branch, generate_series(1, branch.version) step`

const streams = `
  insert into tidemark.streams (stream, version, telemetry)
  select stream, version, false from tidemark.state_branches__1`

const others = `
  insert into tidemark.events (id, stream, version, type, data)
  select gen_random_uuid(), 'order-' || n, 1, 'T', '{}' from generate_series(1, ${OTHER_STREAMS}) n`

/** A log of many things, analysed as a log is by and by, and the states in it. */
export const fill = async (db: TestDatabase): Promise<void> => {
  await unanalysed(db)
  for (const text of [others, branches, versions, keys, points, met, events, streams]) await db.query(text)
  await db.query("analyze tidemark.events, tidemark.streams")
}
