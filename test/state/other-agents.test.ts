import { beforeAll, describe, expect, test } from "vitest"
import { UnknownRef } from "../../src/errors.ts"
import { InvalidName } from "../../src/index.ts"
import { testLog } from "../log/test-log.ts"

// The stream of the branch `main@bob` of `corp` would be that of the branch `main` of `bob@corp`.

const log = testLog()

const corp = () => log.engine.state("corp")
const bob = () => log.engine.state("bob@corp")

beforeAll(async () => {
  await corp().update({ local: { open: 1 } })
  await bob().update({ local: { secret: 1 } })
})

describe.each(["main@bob", "a\0b", ""])("a branch that is called %j", (branch) => {
  test.each<readonly [string, () => Promise<unknown>]>([
    ["merged", () => corp().merge(branch)],
    ["merged into", () => corp().merge("main", { into: branch })],
    ["compared", () => corp().diff({ branch, version: 1 })],
    ["compared at its newest version", () => corp().diff({ branch })],
    ["read", () => corp().read({ branch, version: 1 } as never)],
    ["looked up", () => corp().history({ of: { branch } })],
    ["listed", () => corp().history({ branch })],
    ["blamed", () => corp().blame("/local/secret", { of: { branch } })],
    ["tagged", () => corp().tag("mine", { branch })],
    ["restored", () => corp().restore({ branch, position: 1_000 })]
  ])("is not %s", async (_, ask) => {
    await expect(ask()).rejects.toBeInstanceOf(InvalidName)
  })
})

test("a version of another agent is not read by its token", async () => {
  const { token } = await bob().read()
  await expect(corp().read({ token })).rejects.toBeInstanceOf(UnknownRef)
  await expect(corp().diff({ token })).rejects.toBeInstanceOf(UnknownRef)
})
