import { beforeAll, describe, expect, test } from "vitest"
import { UnknownRef } from "../../src/errors.ts"
import type { EngineState } from "../../src/state.ts"
import { testLog } from "../log/test-log.ts"
import { folded } from "./folded.ts"
import { inSql } from "./sql-state.ts"

const log = testLog()
const sql = inSql(log)

/** A time that all events so far lie before, and all later ones after, by the clock of the server. */
const now = async (): Promise<Date> => {
  const [row] = await log.db.query<{ at: Date }>(
    "select pg_sleep(0.01), date_trunc('milliseconds', clock_timestamp()) as at, pg_sleep(0.01)"
  )
  return row!.at
}

describe("a branch that was deleted", () => {
  let branch: EngineState
  let there: { readonly time: Date; readonly position: number }
  let gone: { readonly time: Date; readonly position: number }
  let again: Date

  const moment = async () => ({ time: await now(), position: await log.engine.settled() })

  beforeAll(async () => {
    const state = log.engine.state("deleted")
    await state.update({ local: { n: 1 } })
    await state.branch("side")
    branch = state.on("side")
    await branch.update({ local: { n: 2 } })
    there = await moment()
    await state.deleteBranch("side")
    gone = await moment()
  })

  const readAt = async () => {
    expect((await branch.read({ time: there.time })).local).toEqual({ n: 2 })
    expect((await branch.read({ position: there.position })).local).toEqual({ n: 2 })
    for (const ref of [{ time: gone.time }, { position: gone.position }])
      await expect(branch.read(ref)).rejects.toBeInstanceOf(UnknownRef)
  }

  const readAtInSql = async () => {
    expect(await sql.atTime(branch.agent, there.time, "side")).toMatchObject([{ local: { n: 2 } }])
    expect(await sql.atTime(branch.agent, gone.time, "side")).toEqual([])
  }

  test("is not there at a time, or a position, after that", async () => {
    await readAt()
    await folded(log)
    await readAt()
    await readAtInSql()
  })

  test("has its versions as before", async () => {
    expect((await branch.read({ version: 2 })).local).toEqual({ n: 2 })
    expect((await branch.read({ version: 3 })).local).toEqual({ n: 2 })
    expect(await sql.atVersion(branch.agent, 3, "side")).toMatchObject([{ local: { n: 2 } }])
    expect((await branch.history({ of: 2 })).length).toBe(4)
  })

  test("is there once its name is given again, and was not there in between", async () => {
    await branch.on("main").branch("side")
    again = await now()
    expect((await branch.read({ time: again })).local).toEqual({ n: 1 })
    await readAt()
    await folded(log)
    expect(await sql.atTime(branch.agent, again, "side")).toMatchObject([{ local: { n: 1 } }])
    await readAt()
    await readAtInSql()
  })
})
