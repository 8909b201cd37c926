import { expect, it } from "vitest"
import { open } from "../../src/index.ts"
import { DefinitionChanged } from "../../src/errors.ts"
import { until } from "../support/eventually.ts"
import { Counted, counters, scene } from "./scene.ts"

const { db } = scene()

const first = counters({ name: "revised", count: () => 1 })
const second = counters({ name: "revised", version: 2, count: () => 10 })

const totals = () => db.query("select total, events from tidemark.revised")

const becomes = (total: number, events: number) =>
  until(
    async () => {
      const [row] = await totals()
      return row?.["events"] === events && row["total"] === total
    },
    { within: 30_000, what: `${events} events, ${total} in all` }
  )

it("a changed definition given to project asks for a rebuild, and mixes nothing into what the other one folded", async () => {
  const [old, next] = await Promise.all([
    open({ database: db.url, logger: false }),
    open({ database: db.url, logger: false })
  ])
  try {
    await old.project(first)
    await old.emit("a-1", [Counted.make({ by: 1 }), Counted.make({ by: 1 })])
    await becomes(2, 2)
    const failure: unknown = await next.project(second).catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(DefinitionChanged)
    expect((failure as Error).message).toContain("tidemark rebuild revised")
    // Events of both processes, also without the one that has the older definition.
    await next.emit("a-1", [Counted.make({ by: 1 })])
    await becomes(3, 3)
    await old.close()
    await next.emit("a-1", [Counted.make({ by: 1 })])
    expect(await totals()).toEqual([{ total: 3, events: 3 }])
    await next.rebuild(second)
    expect(await totals()).toEqual([{ total: 40, events: 4 }])
    await next.project(second)
    await next.emit("a-1", [Counted.make({ by: 1 })])
    await becomes(50, 5)
  } finally {
    await old.close()
    await next.close()
  }
})
