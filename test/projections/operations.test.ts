import { Effect, Schema } from "effect"
import { expect, it } from "vitest"
import { builtIn } from "../../projections/index.ts"
import type { AnyOperation } from "../../src/projection/operation.ts"
import { reasonOf, scene } from "../projection/scene.ts"

const { start } = scene()

const operations = Object.values(builtIn).flatMap(
  (definition) => Object.values(definition.operations) as Array<AnyOperation>
)

type Call = (input: unknown) => Effect.Effect<unknown, never>

const called = async (name: string) => {
  const one = await start()
  const [projection, verb] = name.split(".") as [keyof typeof builtIn, string]
  const bound = (await one.project(builtIn[projection] as typeof builtIn.agents)) as unknown as Record<
    string,
    Call
  >
  return { one, call: bound[verb]! }
}

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s does what it says with its example",
  async (name, operation) => {
    const { one, call } = await called(name)
    const output = await one.run(call(operation.example))
    expect(output).toSatisfy(Schema.is(operation.output))
    // A surface sends it as JSON.
    Schema.encodeUnknownSync(Schema.toCodecJson(operation.output))(output)
    expect(operation.description).toMatch(/^[A-Z].*\.$/)
    expect(operation.scope).toBe(`${name.split(".")[0]}:${operation.kind === "query" ? "read" : "write"}`)
  }
)

it.each(operations.map((operation) => [operation.name, operation] as const))(
  "%s refuses what it does not know, and says so",
  async (name, operation) => {
    const { one, call } = await called(name)
    const reason = await reasonOf(one.run(call({ ...(operation.example as object), nonsense: 1 })))
    expect(reason).toMatchObject({ _tag: "InvalidInput", operation: name })
    expect(reason.message).toContain("nonsense")
    expect(reason.message).toContain(JSON.stringify(operation.example))
  }
)

it.each([
  ["agents.register", { agent: "with space" }, "agent"],
  ["agents.register", { agent: "" }, "agent"],
  ["agents.register", { agent: "x".repeat(201) }, "agent"],
  ["agents.register", { agent: "a", occurredAt: "yesterday" }, "occurredAt"],
  ["agents.register", { agent: "a", occurredAt: "2026-01-31T12:00:00" }, "occurredAt"],
  ["agents.register", { agent: "a", config: { bad: Number.NaN } }, "config"],
  ["agents.updateState", { agent: "a" }, "state"],
  ["heartbeats.record", { agent: "a", errorCount: 1.5 }, "errorCount"],
  ["heartbeats.recent", { minutes: 0 }, "minutes"],
  ["metrics.record", { agent: "a", name: "m", value: Number.POSITIVE_INFINITY }, "value"],
  ["metrics.record", [], ""]
])("%s names what is wrong with %j", async (name, input, said) => {
  const { one, call } = await called(name)
  const reason = await reasonOf(one.run(call(input)))
  expect(reason).toMatchObject({ _tag: "InvalidInput", operation: name })
  expect(reason.message).toContain(said)
})

it("takes agents' ids that make a stream's name as long as can be", async () => {
  const one = await start()
  const agents = await one.project(builtIn.agents)
  const agent = "~".repeat(200)
  await one.run(agents.register({ agent }))
  expect(await one.run(agents.get({ agent }))).toMatchObject({ agent })
})
