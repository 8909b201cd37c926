import { execFile } from "node:child_process"
import net from "node:net"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, test } from "vitest"
import { connected } from "./support/admin.ts"
import { resourcesBefore, resourcesSince } from "./support/leaks.ts"
import { currentRun } from "./support/run.ts"

type FileResult = {
  readonly name: string
  readonly status: "passed" | "failed"
  readonly message: string
  readonly assertionResults: ReadonlyArray<{ readonly status: string }>
}

const root = fileURLToPath(new URL("../", import.meta.url))
const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs")

/** Runs test/support/fixtures, each of which leaves something behind, under the same setup and on the same server. */
const runFixtures = () =>
  new Promise<ReadonlyArray<FileResult>>((resolve, reject) => {
    const args = [vitest, "run", "--config", "test/support/fixtures/vitest.config.ts"]
    const env = { PATH: process.env["PATH"] ?? "", TIDEMARK_TEST_DATABASE_URL: currentRun().url }
    execFile(process.execPath, args, { cwd: root, env }, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout).testResults)
      } catch {
        reject(new Error(`the fixtures did not run:\n${stdout}${stderr}`, { cause: error }))
      }
    })
  })

describe("a test file that passes and leaves behind", () => {
  let results: ReadonlyArray<FileResult> = []
  beforeAll(async () => {
    results = await runFixtures()
  })

  const resultOf = (leak: string) => {
    const result = results.find(({ name }) => name.endsWith(`/leak-${leak}.fixture.ts`))
    expect(result?.assertionResults.map(({ status }) => status)).toEqual(["passed"])
    return result
  }

  test("nothing, passes", () => {
    expect(resultOf("nothing")).toMatchObject({ status: "passed", message: "" })
  })

  test.each([
    [
      "connection",
      /a connection to tidemark_test_\w+_support_fixtures_leak_connection_\w+ by 'leaky' \(pid \d+, idle/
    ],
    ["prepared", /the prepared transaction tidemark_test_\w+/],
    ["timer", /1 × Timeout that keeps the process alive/],
    ["listener", /1 × TCPServerWrap that keeps the process alive/],
    ["process", /1 × ProcessWrap that keeps the process alive/],
    ["rejection", /an unhandled rejection: Error: nobody catches this/]
  ])("a %s, fails with its name", (leak, complaint) => {
    const result = resultOf(leak)
    expect(result?.message).toMatch(complaint)
    expect(result?.status).toBe("failed")
  })

  test("databases on a given server, has them dropped", async () => {
    const prefix = /tidemark_test_[0-9a-f]+_/.exec(resultOf("connection")?.message ?? "")?.[0]
    expect(prefix).toBeDefined()
    const left = await connected(currentRun().url, (client) =>
      client.query("select datname from pg_database where starts_with(datname, $1)", [prefix])
    )
    expect(left.rows).toEqual([])
  })
})

/** Longer than the timer, in ms, by which vitest gathers what it reports. */
const reportingPause = 300

describe("active resources", () => {
  test("that go away by themselves are no leak", async () => {
    const before = resourcesBefore()
    setTimeout(() => {}, 100)
    expect(await resourcesSince(before)).toEqual([])
  })

  test("that stay are counted by kind, until they are closed", async () => {
    const before = resourcesBefore()
    const timers = [setInterval(() => {}, 60_000), setInterval(() => {}, 60_000)]
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    expect([...(await resourcesSince(before, reportingPause))].toSorted()).toEqual([
      "1 × TCPServerWrap that keeps the process alive",
      "2 × Timeout that keeps the process alive"
    ])
    timers.forEach((timer) => clearInterval(timer))
    server.close()
    expect(await resourcesSince(before)).toEqual([])
  })

  test("that keep nothing alive do not count", async () => {
    const before = resourcesBefore()
    const timer = setInterval(() => {}, 60_000).unref()
    expect(await resourcesSince(before, reportingPause)).toEqual([])
    clearInterval(timer)
  })
})
