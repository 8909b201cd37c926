import { describe, expect, test } from "vitest"
import { eventsOf, testLog } from "../log/test-log.ts"
import { folded } from "./folded.ts"
import { headOf, inSql } from "./sql-state.ts"

// A checkpoint that SQL makes is one that the library makes.

const log = testLog()
const { checkpoint, restore, sound } = inSql(log)

let made = 0
const fresh = () => log.engine.state(`point-${(made += 1)}`)

describe("create_state_checkpoint", () => {
  test("makes the event that the library makes", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const expiresAt = "2999-01-02T03:04:05.678Z"
    const metadata = { why: "so", nothing: null, deep: { list: [1, null] } }
    const one = await checkpoint("$1, 'said', 'before', 'a week', $2, 'main', $3, 'ann'", [
      state.agent,
      expiresAt,
      metadata
    ])
    const options = {
      description: "said",
      type: "before",
      retention: "a week",
      expiresAt,
      metadata,
      actor: "ann"
    }
    const other = await state.checkpoint(options)
    const plain = await checkpoint("$1", [state.agent])
    await state.checkpoint()
    const events = (await eventsOf(log.engine, `state-main@${state.agent}`)).slice(-4)
    const same = events.map(({ type, data, labels, meta, schemaVersion }) => ({
      type,
      data,
      labels,
      meta: { actor: meta.actor },
      schemaVersion
    }))
    expect(same[0]).toEqual(same[1])
    expect(same[2]).toEqual(same[3])
    expect(events[0]).toMatchObject({
      id: one.checkpoint,
      version: Number(one.version),
      position: Number(one.position)
    })
    await log.db.query("select tidemark.wake()")
    await folded(log)
    const rows = await log.db.query(
      "select id, version, state_hash, checkpoint_type, description, metadata, retention_policy, expires_at, created_by from tidemark.state_checkpoints where agent_id = $1 order by version",
      [state.agent]
    )
    const { id: _, version: __, ...first } = rows[0]!
    const { id: ___, version: ____, ...second } = rows[1]!
    expect(rows.map(({ id }) => id).slice(0, 3)).toEqual([one.checkpoint, other.checkpoint, plain.checkpoint])
    expect(first).toEqual(second)
    await sound(state.agent)
  })

  test("is restored by the library, and the library's by SQL", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const mine = await checkpoint("$1", [state.agent])
    await state.update({ local: { n: 2 } })
    const its = await state.checkpoint()
    await state.update({ local: { n: 3 } })
    await state.restore(mine.checkpoint)
    expect((await state.read()).local).toEqual({ n: 1 })
    await restore(its.checkpoint)
    expect((await state.read()).local).toEqual({ n: 2 })
    await sound(state.agent)
  })

  test.each([
    ["an agent that has no state", "'nobody'", "TM009"],
    ["no agent", "null", "TM009"],
    ["a branch that is not there", "$1, branch => 'none'", "TM009"],
    ["a branch that was deleted", "$1, branch => 'deleted'", "TM009"],
    ["metadata that are no object", "$1, metadata => '[1]'", "TM006"],
    ["null for metadata", "$1, metadata => 'null'", "TM006"],
    ["no type", "$1, type => null", "TM006"],
    ["no retention", "$1, retention => null", "TM006"],
    ["an end that is none", "$1, expires_at => 'infinity'", "TM006"],
    ["an end before our time", "$1, expires_at => '0044-03-15 BC'", "TM006"],
    ["too much to say", "$1, description => repeat('x', 1024 * 1024)", "TM014"]
  ])("refuses %s", async (_, args, code) => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await state.branch("deleted")
    await state.deleteBranch("deleted")
    const params = args.includes("$1") ? [state.agent] : []
    await expect(checkpoint(args, params)).rejects.toMatchObject({ code })
    expect(await headOf(log, state.agent)).toBe(2)
  })

  test("goes by the log where the read model has not followed", async () => {
    const state = fresh()
    const session = await log.session()
    // Holds the read model up.
    await session.query("begin; select from projections where name = 'states' for update")
    try {
      await state.update({ local: { n: 1 } })
      await state.branch("short")
      await state.branch("long")
      await state.deleteBranch("short")
      expect(await checkpoint("$1", [state.agent])).toMatchObject({ version: "3" })
      expect(await checkpoint("$1, branch => 'long'", [state.agent])).toMatchObject({ version: "2" })
      await expect(checkpoint("$1, branch => 'short'", [state.agent])).rejects.toMatchObject({
        code: "TM009"
      })
    } finally {
      await session.query("rollback")
    }
  })

  test("is part of the caller's transaction, and waits for who writes the branch", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    const session = await log.session()
    await session.query("begin")
    const args = [state.agent]
    await session.query("select create_state_checkpoint($1), create_state_checkpoint($1)", args)
    const waiting = checkpoint("$1", args)
    await session.query("commit")
    expect(Number((await waiting).version)).toBe(5)
    await session.query("begin")
    await session.query("select create_state_checkpoint($1)", args)
    await session.query("rollback")
    expect(await headOf(log, state.agent)).toBe(5)
  })
})
