import { expect, test } from "vitest"
import { BindingGuard } from "../../src/postgres/channel-binding.ts"

const GIBIBYTE = 2 ** 30

test("a server that announces more than signing in can need is refused at once, and nothing is kept of it", () => {
  const guard = new BindingGuard((problem) => new Error(problem))
  const header = Buffer.alloc(5)
  header.write("R")
  header.writeUInt32BE(GIBIBYTE, 1)
  expect(() => guard.pass(header)).toThrow("what it says is no answer to signing in")
})
