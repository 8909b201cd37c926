import { expect, test } from "vitest"
import { LogRewound } from "../../src/index.ts"
import { databaseUrl } from "../support/admin.ts"
import { databaseCopies, withEngine } from "../support/copies.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

const copies = databaseCopies(db)

test("a token of a version that a restore lost is LogRewound, though there is a version of that number again", async () => {
  const url = await db.fresh()
  const kept = await withEngine(url, (engine) => engine.state("a").update({ local: { n: 1 } }))
  const copy = await copies.of(url)
  const lost = await withEngine(url, (engine) => engine.state("a").update({ local: { n: 2 } }))
  await withEngine(databaseUrl(url, copy), async (restored) => {
    const state = restored.state("a")
    const instead = await state.update({ local: { n: 3 } })
    expect(instead.version).toBe(lost.version)
    await expect(state.read({ token: lost.token })).rejects.toBeInstanceOf(LogRewound)
    const late = state.update({ local: { n: 4 } }, { base: lost.token })
    await expect(late).rejects.toBeInstanceOf(LogRewound)
    expect((await state.read()).local).toEqual({ n: 3 })
    expect((await state.read({ token: kept.token })).local).toEqual({ n: 1 })
    await state.update({ shared: { plan: "a" } }, { base: kept.token })
    expect(await state.read()).toMatchObject({ local: { n: 3 }, shared: { plan: "a" } })
  })
})
