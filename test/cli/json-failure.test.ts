import { describe, expect, test } from "vitest"
import { run } from "./tidemark.ts"

/** The discard port: nothing listens there. */
const NOWHERE = "postgres://somebody:sesame@127.0.0.1:9/nothing"

describe("a command that fails under --json", () => {
  test.each([["migrate"], ["status"], ["tail"], ["start"]])(
    "says so in one object, the last line of standard error, and nothing on standard output: %s",
    async (command) => {
      const { code, stderr, stdout } = await run([command, "--json", "-d", NOWHERE])
      expect(code).toBe(3)
      expect(stdout).toBe("")
      expect(JSON.parse(stderr.split("\n").at(-1)!)).toEqual({
        error: { name: "Unreachable", message: expect.stringContaining("Check that the server runs") }
      })
      expect(stderr).not.toContain("sesame")
    }
  )

  test.each([
    ["an unknown flag", ["start", "--json", "--secnds", "3"], "Did you mean --seconds?"],
    ["a count that is none", ["tail", "--json", "--limit", "0"], "Give a whole number from 1"],
    ["an unknown command", ["strat", "--json"], "strat"]
  ])("says the same of a command line that cannot be understood: %s", async (_, args, said) => {
    const { code, stderr, stdout } = await run(args)
    expect(code).toBe(2)
    expect(stdout).toBe("")
    expect(JSON.parse(stderr)).toEqual({
      error: { name: "UsageError", message: expect.stringContaining(said) }
    })
  })

  test("adds where it came from with --verbose", async () => {
    const { stderr } = await run(["status", "--json", "--verbose", "-d", NOWHERE])
    const { error } = JSON.parse(stderr) as { error: { stack: string } }
    expect(error.stack).toMatch(/^ +at /m)
    expect(stderr).not.toContain("sesame")
  })

  test("is announced in the help, with every number that a command may end with", async () => {
    const { stdout } = await run(["--help"])
    for (const code of ["0", "1", "2", "3", "130"]) expect(stdout).toMatch(new RegExp(`^ +${code}  `, "m"))
    expect(stdout).toContain('{"error":{"name":"Unreachable"')
  })
})
