import { describe, expect, it } from "vitest"
import { UnknownProjection } from "../../../src/projection/error.ts"
import { NoGenerationKept } from "../../../src/projection/rebuild/error.ts"
import { until } from "../../support/eventually.ts"
import { Counted, counters, reasonOf, scene, stops } from "../scene.ts"
import { generationsOf } from "./looks.ts"

const { db, start } = scene()

const first = counters({ name: "wavering" })
const second = counters({ name: "wavering", version: 2, count: (by) => 10 * Number(by) })

const totals = () => db.query("select total, events from tidemark.wavering order by id")

const count = () => Counted.make({ by: 1 })

describe("a rollback", () => {
  it("shows the kept generation at once, whose code folds on from where it was; and goes back as well", async () => {
    const old = await start()
    await old.project(first)
    await old.reaches("wavering", await old.emit("w-1", count(), count()))
    const one = await start()
    await one.rebuild(second)
    await one.project(second)
    await one.reaches("wavering", await one.emit("w-1", count()))
    expect(await totals()).toEqual([{ total: 30, events: 3 }])
    await stops(old, "wavering")

    const back = await one.rollback("wavering")
    expect(back).toMatchObject({ from: { generation: 2, version: 2 }, to: { generation: 1, version: 1 } })
    await stops(one, "wavering")
    expect(one.status("wavering").error!.message).toContain(
      "another definition now (version 1, this is version 2)"
    )
    old.projections.look("wavering")
    await until(() => old.status("wavering").state === "running", { within: 30_000 })
    await old.reaches("wavering", await old.emit("w-1", count()))
    expect(await totals()).toEqual([{ total: 4, events: 4 }])

    const again = await one.rollback("wavering")
    expect(again).toMatchObject({ from: { generation: 1 }, to: { generation: 2, version: 2 } })
    one.projections.look("wavering")
    await until(() => one.status("wavering").state === "running", { within: 30_000 })
    await one.reaches("wavering", await one.emit("w-1", count()))
    expect(await totals()).toEqual([{ total: 50, events: 5 }])
    expect(await generationsOf(db, "wavering")).toEqual([
      { generation: 1, state: "kept" },
      { generation: 2, state: "live" }
    ])
  })

  it("without anything kept says so, and of a projection that is not there as well", async () => {
    const one = await start()
    await one.project(first)
    expect(await reasonOf(one.rollback("wavering"))).toBeInstanceOf(NoGenerationKept)
    expect(await reasonOf(one.rollback("nothing"))).toBeInstanceOf(UnknownProjection)
    await one.rebuild(first, { keep: 0 })
    expect(await reasonOf(one.rollback("wavering"))).toBeInstanceOf(NoGenerationKept)
  })

  it("goes to the generation that was live before, not to the highest", async () => {
    const one = await start()
    await one.project(first)
    await one.rebuild(first, { keep: 5 })
    await one.rebuild(first, { keep: 5 })
    expect(await one.rollback("wavering")).toMatchObject({ to: { generation: 2 } })
    expect(await one.rollback("wavering")).toMatchObject({ to: { generation: 3 } })
    expect(await one.rebuild(first, { keep: 1 })).toMatchObject({ to: { generation: 4 }, dropped: [2, 1] })
  })

  it("under the same definition loses nothing: whoever folds goes on from the kept position", async () => {
    const one = await start()
    await one.project(first)
    await one.reaches("wavering", await one.emit("w-1", count()))
    await one.rebuild(first)
    await one.reaches("wavering", await one.emit("w-1", count()))
    await one.rollback("wavering")
    const last = await one.emit("w-1", count())
    await one.reaches("wavering", last)
    await until(async () => (await totals())[0]!["events"] === 3)
    expect(await totals()).toEqual([{ total: 3, events: 3 }])
  })
})
