import { describe, expect, test } from "vitest"
import { until } from "../support/eventually.ts"
import { consumerLog, failingOn, isThrough, SOON } from "./scene.ts"

const log = consumerLog()

describe("what is parked", () => {
  const parkedAt = async () => {
    const one = log.fresh()
    const [category] = one.categories
    let mended = false
    const { calls, handler } = failingOn((word) => !mended && (word === "a1" || word === "b1"))
    const subscription = await log.engine.subscribe({ ...one, retry: { ...SOON, attempts: 2 } }, handler)
    const positions = [
      ...(await log.emit(`${category}-a`, 1, 2, 3)),
      ...(await log.emit(`${category}-b`, 1, 2))
    ]
    await until(async () => {
      const { parked, waiting } = (await subscription.control.status()).held
      return parked === 2 && waiting === 3
    })
    return {
      ...one,
      category,
      subscription,
      calls,
      positions,
      mend: () => {
        mended = true
      }
    }
  }

  test("is retried one by one, and its stream follows in order", async () => {
    const { subscription, calls, positions, mend, name } = await parkedAt()
    mend()
    const before = calls.items.length
    expect(await subscription.control.retry(positions[0]!)).toBe(1)
    await calls.reaches(before + 3)
    expect(calls.items.slice(before)).toEqual(["a1", "a2", "a3"])
    expect((await log.engine.subscription(name).parked()).map(({ position }) => position)).toEqual([
      positions[3]
    ])
    await subscription.stop()
  })

  test("is retried all at once", async () => {
    const { subscription, calls, mend, name, positions } = await parkedAt()
    mend()
    const before = calls.items.length
    expect(await subscription.control.retry("all")).toBe(2)
    await calls.reaches(before + 5)
    expect(calls.items.slice(before).filter((word) => word.startsWith("a"))).toEqual(["a1", "a2", "a3"])
    expect(calls.items.slice(before).filter((word) => word.startsWith("b"))).toEqual(["b1", "b2"])
    await isThrough(log.engine, name, positions.at(-1)!)
    expect((await subscription.control.status()).held).toEqual({ retrying: 0, waiting: 0, parked: 0 })
    await subscription.stop()
  })

  test("that fails again is parked again, and keeps what it failed with before", async () => {
    const { subscription, positions, name } = await parkedAt()
    await subscription.control.retry(positions[0]!)
    const errors = await until(async () => {
      const [held] = await log.engine.subscription(name).parked()
      return held!.position === positions[0] && held!.errors.length === 4 && held!.errors
    })
    expect(errors.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2])
    await subscription.stop()
  })

  test("is dropped with a reason that is kept in the log, and its stream follows", async () => {
    const { subscription, calls, positions, name, category } = await parkedAt()
    const before = calls.items.length
    expect(await subscription.control.drop(positions[0]!, { reason: "sent twice", actor: "ada" })).toBe(1)
    await calls.reaches(before + 2)
    expect(calls.items.slice(before)).toEqual(["a2", "a3"])
    const dropped = []
    for await (const event of log.engine.read(`subscription-${name}`)) dropped.push(event)
    expect(dropped).toMatchObject([
      {
        type: "EventDropped",
        data: { position: positions[0], stream: `${category}-a`, reason: "sent twice", attempts: 2 },
        meta: { actor: "ada", reason: "sent twice" }
      }
    ])
    await subscription.stop()
  })

  test("is dropped all at once", async () => {
    const { subscription, calls, name } = await parkedAt()
    const before = calls.items.length
    expect(await subscription.control.drop("all", { reason: "a bad day" })).toBe(2)
    await calls.reaches(before + 3)
    expect(calls.items.slice(before).toSorted()).toEqual(["a2", "a3", "b2"])
    await until(async () => (await log.engine.subscription(name).parked()).length === 0)
    await subscription.stop()
  })

  test("is neither retried nor dropped where it is not parked, nor dropped without a reason", async () => {
    const { subscription, positions } = await parkedAt()
    const { control } = subscription
    await expect(control.retry(positions[1]!)).rejects.toMatchObject({
      _tag: "NotParked",
      position: positions[1]
    })
    await expect(control.drop(1, { reason: "x" })).rejects.toMatchObject({ _tag: "NotParked" })
    await expect(control.drop("all", { reason: " " })).rejects.toMatchObject({ _tag: "InvalidArgument" })
    await expect(control.retry(-1)).rejects.toMatchObject({ _tag: "InvalidArgument" })
    expect((await control.status()).held).toEqual({ retrying: 0, waiting: 3, parked: 2 })
    await subscription.stop()
  })
})
