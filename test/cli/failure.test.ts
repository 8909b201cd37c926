import { describe, expect, test } from "vitest"
import { ExitCode } from "../../src/cli/exit-code.ts"
import { failure } from "../../src/cli/failure.ts"
import { DiskFull, Unreachable } from "../../src/index.ts"
import { NoRoom } from "../../src/postgres/embedded/embedded-error.ts"

describe("what a command ends with", () => {
  test.each([
    ["a server's full disk", new DiskFull({ detail: "no space" }), ExitCode.unavailable],
    ["an embedded server's full disk", new NoRoom({ directory: "data" }), ExitCode.unavailable],
    ["a server out of reach", new Unreachable({ detail: "refused" }), ExitCode.unavailable],
    ["what nobody expected", new TypeError("undefined"), ExitCode.failure]
  ])("for %s is the same number always", (_, error, exitCode) => {
    expect(failure(error, false)).toMatchObject({ exitCode, message: expect.stringContaining(error.message) })
  })
})
