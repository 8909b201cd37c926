import { expectTypeOf, test } from "vitest"
import type { Agent, Health, Heartbeat, Metric, MetricSummary } from "../../src/effect.ts"
import type { Engine } from "../../src/index.ts"

type Row<Query extends (...input: Array<never>) => Promise<unknown>> =
  Awaited<ReturnType<Query>> extends ReadonlyArray<infer One> ? One : never

test("what the read models give has names to write in a signature", () => {
  expectTypeOf<Row<Engine["agents"]["list"]>>().toEqualTypeOf<Agent>()
  expectTypeOf<Row<Engine["heartbeats"]["recent"]>>().toEqualTypeOf<Heartbeat>()
  expectTypeOf<Awaited<ReturnType<Engine["heartbeats"]["health"]>>>().toEqualTypeOf<Health>()
  expectTypeOf<Row<Engine["metrics"]["list"]>>().toEqualTypeOf<Metric>()
  expectTypeOf<Row<Engine["metrics"]["summary"]>>().toEqualTypeOf<MetricSummary>()
})
