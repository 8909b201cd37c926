import { expect, test } from "vitest"
import { testLog } from "../log/test-log.ts"
import { folded } from "./folded.ts"

// get_state_statistics counts what there is.

const log = testLog()

const statistics = (agent?: string) =>
  log.db.query(
    `select agent_id, branches::integer, deleted_branches::integer, versions::integer, keys::integer, bytes::integer,
       sessions::integer, checkpoints::integer, tags::integer, open_merges::integer, oldest_change, newest_change
     from tidemark.get_state_statistics($1)`,
    [agent ?? null]
  )

test("tells how much there is of each agent's state, or of one's", async () => {
  expect(await statistics()).toEqual([])
  const state = log.engine.state("counted")
  await state.update({ local: { one: 1, two: "22" }, session: { gone: true } })
  await state.startSession("s")
  await state.branch("side")
  await state.on("side").update({ local: { two: "other" } })
  await state.branch("ended")
  await state.deleteBranch("ended")
  const { checkpoint } = await state.checkpoint()
  await state.checkpoint()
  await state.dropCheckpoint(checkpoint)
  await state.tag("v1")
  await log.engine.state("another").update({ local: {} })
  await folded(log)
  const entry = (tier: string, key: string, value: unknown) => JSON.stringify([tier, key, value]).length
  const bytes = entry("local", "one", 1) + entry("local", "two", "22") + entry("local", "two", "other")
  const [times] = await log.db.query<{ first: Date; last: Date }>(
    "select date_trunc('milliseconds', min(recorded_at)) as first, date_trunc('milliseconds', max(recorded_at)) as last from tidemark.events where stream like 'state-%@counted'"
  )
  const counted = {
    agent_id: "counted",
    branches: 2,
    deleted_branches: 1,
    versions: 6 + 2 + 2,
    keys: 3,
    bytes,
    sessions: 2,
    checkpoints: 1,
    tags: 1,
    open_merges: 0,
    oldest_change: times!.first,
    newest_change: times!.last
  }
  expect(await statistics("counted")).toEqual([counted])
  const [told] = await log.engine.states.statistics({ agent: "counted" })
  const { branches, versions, keys, checkpoints, tags, open_merges: openMerges } = counted
  expect(told).toMatchObject({ branches, versions, keys, bytes, checkpoints, tags, openMerges })
  const all = await statistics()
  expect(all.map(({ agent_id }) => agent_id)).toEqual(["another", "counted"])
  expect(all[0]).toMatchObject({ branches: 1, versions: 1, keys: 0, bytes: 0, checkpoints: 0 })
  expect(await statistics("nobody")).toEqual([])
})
