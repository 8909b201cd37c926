import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { describe, expect, test } from "vitest"
import { isPlain, run, saysThat, tidemark } from "./tidemark.ts"

/** The discard port: nothing listens there. */
const NOWHERE = "postgres://somebody:sesame@127.0.0.1:9/nothing"

describe("the command line", () => {
  test("shows the help and the version without a database", async () => {
    const help = await run(["--help"])
    expect(help.code).toBe(0)
    for (const command of ["start", "migrate", "tail", "replay", "audit", "status"])
      expect(help.stdout).toContain(command)
    expect(isPlain(help.stdout)).toBe(true)
    expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/)
    expect((await run(["help", "tail"])).stdout).toContain("--from <point>")
  })

  test.each([
    ["nothing at all", [], "Usage: tidemark"],
    ["an unknown command", ["strat"], "Did you mean start?"],
    ["an unknown flag", ["start", "--secnds", "3"], "Did you mean --seconds?"],
    ["an argument too many", ["status", "now"], "too many arguments"],
    ["a flag without its value", ["tail", "--limit"], "argument missing"],
    ["a number that is none", ["start", "--seconds", "soon"], "Give a number of seconds above 0"],
    ["a count that is none", ["tail", "--limit", "0"], "Give a whole number from 1"],
    ["an unknown metric", ["start", "--threshold", "gpu=80"], "name one of cpu, load"],
    ["flags that exclude each other", ["tail", "-d", NOWHERE, "--directory", "x"], "cannot be used with"],
    ["a schema that cannot be", ["status", "-d", NOWHERE, "-s", "No-Schema"], "cannot name a schema"],
    ["a connection string that is none", ["status", "-d", "mysql://x"], "connection settings"]
  ])("answers %s with what to do, and 2", async (_, args, message) => {
    const { code, stderr, stdout } = await run(args)
    expect(stderr + stdout).toContain(message)
    expect(stderr).not.toMatch(/^ +at /m)
    expect(code).toBe(2)
  })

  test("says which database it cannot reach, and what to check, and ends with 3", async () => {
    const { code, stderr } = await run(["status"], { env: { DATABASE_URL: NOWHERE } })
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^error: PostgreSQL cannot be reached: .*127\.0\.0\.1:9.*Check that the server runs/
    )
    expect(stderr).not.toMatch(/^ +at |sesame/m)
  })

  test.each([
    ["--verbose", ["--verbose"], {}],
    ["DEBUG", [], { DEBUG: "1" }]
  ])("shows where an error comes from with %s", async (_, flags, env) => {
    const { stderr } = await run(["status", "-d", NOWHERE, ...flags], { env })
    expect(stderr).toMatch(/^ +at /m)
    expect(stderr).not.toContain("sesame")
  })

  test("starts an embedded server where no database is named, says where its data live, and joins one that runs", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "tidemark-cli-"))
    try {
      const data = path.join(directory, "data")
      // --directory goes before a database of the environment.
      const env = { DATABASE_URL: NOWHERE }
      await using first = tidemark(["start", "--directory", data], { env })
      expect(await saysThat(first, /embedded PostgreSQL/)).toMatch(/started; its data live in /)
      await saysThat(first, /MetricRecorded/)
      const second = await run(["status", "--json"], { cwd: directory, env: {} })
      expect(second.code).toBe(0)
      const joined = await run(["start", "--seconds", "1", "--directory", data], { env })
      expect(joined).toMatchObject({ code: 0, stdout: expect.stringContaining("joined, which was running") })
      first.signal("SIGINT")
      expect(await first.exited()).toEqual({ code: 0, signal: null })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
