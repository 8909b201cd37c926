import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { doctorText } from "../../src/cli/doctor-text.ts"
import { maintainText } from "../../src/cli/maintain-text.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import { paragraph } from "../../src/cli/terminal/paragraph.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"
import type { Diagnosis, MaintenanceReport } from "../../src/engine/upkeep.ts"
import { type Engine, open } from "../../src/index.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { run, tidemark } from "./tidemark.ts"

const db = testDatabase()
let engine: Engine

beforeAll(async () => {
  engine = await open({ database: db.url, logger: false })
  await engine.emit("order-1", { type: "Placed" })
})
afterAll(() => engine.close())

describe("tidemark maintain", () => {
  test("tells what it would do, does it, and tells programs the same", async () => {
    const would = await run(["maintain", "--dry-run", "-d", db.url])
    expect(would).toMatchObject({ code: 0, stderr: "" })
    expect(would.stdout).toMatch(/^would: analyze projections$/m)
    expect(would.stdout).toContain("nothing was done.")
    expect(await engine.maintenance.history()).toEqual([])

    const did = await run(["maintain", "-d", db.url])
    expect(did.code).toBe(0)
    expect(did.stdout).toMatch(/^done: analyze projections in /m)
    expect(did.stdout).toContain("recorded as version 1 of maintenance-log.")
    expect(did.stderr).toContain("analyze projections …")
    expect(did.stdout).toMatch(/^table +rows +dead +size +indexes +bloat\* +vacuumed +analyzed$/m)

    const again = await run(["maintain", "--json", "-d", db.url])
    expect(again).toMatchObject({ code: 0, stderr: "" })
    const report = JSON.parse(again.stdout) as MaintenanceReport
    expect(report).toMatchObject({ isDryRun: false, recorded: { stream: "maintenance-log", version: 2 } })
    expect((await engine.maintenance.history({ limit: 1 }))[0]).toMatchObject({ totals: report.totals })
  })

  test("is given up at Ctrl-C, and fails while another maintains", async () => {
    await db.query("create table tidemark.slow (key text) with (autovacuum_enabled = off)")
    await db.query("insert into tidemark.slow select 'x' from generate_series(1, 1000)")
    await connected(db.url, async (client) => {
      // Who waits for this lock is at work.
      await client.query("begin; lock table tidemark.slow in share update exclusive mode")
      await using running = tidemark(["maintain", "-d", db.url])
      await running.stderr.first((line) => line === "analyze slow …", { within: 25_000 })
      const second = await run(["maintain", "--json", "-d", db.url])
      expect(second.code).toBe(1)
      expect(JSON.parse(second.stderr)).toMatchObject({ error: { name: "MaintenanceUnderWay" } })
      running.signal("SIGINT")
      expect(await running.exited()).toEqual({ code: 130, signal: null })
      expect(running.stderr.items.at(-1)).toMatch(/^Given up: what was done before stays/)
      await client.query("rollback")
    })
    await db.query("drop table tidemark.slow")
  })
})

describe("tidemark doctor", () => {
  test("ends with 1 where there is a problem, and says what mends it", async () => {
    const found = await run(["doctor", "--memory", "16GB", "-d", db.url])
    expect(found).toMatchObject({ code: 1, stderr: "" })
    expect(found.stdout).toMatch(/^problem {2}fsync: off$/m)
    expect(found.stdout).toContain("alter system set ")
    expect(found.stdout).toMatch(/problem.*things looked at on PostgreSQL \d+/)
    const told = await run(["doctor", "--json", "-d", db.url])
    expect(told).toMatchObject({ code: 1, stderr: "" })
    const diagnosis = JSON.parse(told.stdout) as Diagnosis
    expect(diagnosis.findings[0]).toMatchObject({ name: "fsync", severity: "problem" })
  })

  test.each([["16"], ["16 gigabytes"], ["0GB"], ["-1GB"], ["GB"]])("refuses --memory %j", async (memory) => {
    const refused = await run(["doctor", `--memory=${memory}`, "-d", db.url])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain("Give a size with its unit: 512MB, 16GB.")
  })

  test("says which database it cannot reach", async () => {
    const { code, stderr } = await run(["doctor", "-d", "postgres://somebody:sesame@127.0.0.1:9/nothing"])
    expect(code).toBe(3)
    expect(stderr).not.toContain("sesame")
  })
})

test("both commands are in the help", async () => {
  const { stdout } = await run(["--help"])
  expect(stdout).toMatch(/^ +maintain /m)
  expect(stdout).toMatch(/^ +doctor /m)
  expect(await run(["help", "maintain"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("--dry-run")
  })
})

const report: MaintenanceReport = {
  isDryRun: false,
  isInterrupted: false,
  tookMs: 1_000,
  recorded: undefined,
  steps: [
    {
      kind: "reindex",
      relation: "a_relation_with_a_name_that_is_as_long_as_they_come_and_then_some",
      why: "an estimated 60 % of it is bloat",
      outcome: "done",
      problem: null,
      tookMs: 12_345,
      bytesBefore: 300 * 1024 ** 2,
      bytesAfter: 100 * 1024 ** 2
    },
    {
      kind: "analyze",
      relation: "events",
      why: "it has no statistics yet",
      outcome: "left",
      problem: 'only its owner, "somebody_whose_name_is_long", may',
      tookMs: 0,
      bytesBefore: null,
      bytesAfter: null
    }
  ],
  totals: {
    tables: 1,
    indexes: 2,
    bytes: 1024,
    indexBytes: 2048,
    deadRows: 1,
    bloatBytes: 0,
    indexBloatBytes: 0
  },
  tables: [
    {
      table: "telemetry_123456789_and_a_long_tail",
      partitionOf: "telemetry",
      isPartitioned: false,
      bytes: 12 * 1024 ** 3,
      indexBytes: 3 * 1024 ** 3,
      rows: 123_456_789,
      liveRows: 1,
      deadRows: 12_345_678,
      changedRows: 0,
      bloatBytes: null,
      analyzedMs: null,
      vacuumedMs: 86_400_000,
      transactionIdAge: 7
    }
  ],
  indexes: [
    { index: "broken\u001b[2J", table: "events", bytes: 8_192, bloatBytes: null, isValid: false, scans: 0 },
    { index: "fat", table: "events", bytes: 9e9, bloatBytes: 8e9, isValid: true, scans: 12_000 }
  ],
  transactions: [
    { pid: 4711, application: "import", user: "bob", state: "idle in transaction", ageMs: 900_000 },
    { pid: null, application: null, user: "bob", state: "prepared transaction", ageMs: 900_000 }
  ],
  transactionIds: { age: 1_000_000, freezeAge: 200_000_000 },
  left: [
    {
      part: "the record of it",
      why: "this role may not append to the log, which an owner's or a writer's may"
    }
  ]
}

const diagnosis: Diagnosis = {
  version: "18.4",
  judged: 50,
  memoryBytes: undefined,
  unseen: ["pg_stat_statements"],
  findings: [
    {
      name: "fsync",
      severity: "problem",
      found: "off",
      advised: "on",
      why: "without it what was acknowledged is lost with the machine's power, and the database may be past repair",
      statements: ["alter system set fsync = 'on';"],
      takes: "reload",
      remedy: null
    },
    {
      name: "max_connections",
      severity: "warning",
      found: "20, of which 3 engines with poolSize 10 may take 36, and this goes on for longer than a line",
      advised: "what the engines' pools may open",
      why: "the server has none left",
      statements: ["alter system set max_connections = '60';"],
      takes: "restart",
      remedy: "or give the engines a smaller poolSize, or put a pooler in between"
    }
  ]
}

describe("what people read", () => {
  test.each([40, 80, 120])(
    "fits a terminal of %i columns, but for statements, which are to be copied",
    (columns) => {
      const lines = [
        ...maintainText(report, noPaint, columns),
        ...doctorText(diagnosis, noPaint, columns).filter((line) => !line.trimEnd().endsWith(";"))
      ]
      expect(lines.filter((line) => widthOf(line) > columns)).toEqual([])
      expect(lines.join("")).not.toContain("\u001b")
    }
  )

  test("of maintenance has each step with what came of it, and what is in the way", () => {
    const text = maintainText(report, noPaint).join("\n")
    expect(text).toContain("300 MB → 100 MB in 12 s")
    expect(text).toContain(
      'left: analyze events\n  it has no statistics yet; only its owner, "somebody_whose_name_is_long", may'
    )
    expect(text).toMatch(/^ {2}pid 4711 +import +bob +idle in transaction +15 m$/m)
    expect(text).toMatch(/^ {2}prepared +– +bob/m)
    expect(text).toMatch(/^fat +8\.4 GB +7\.5 GB +12K scans$/m)
    expect(text).toContain("Left: the record of it: this role may not")
    expect(text).toContain("1 of 2 steps done.")
  })

  test("of the doctor ends with what has to follow, and what was not judged", () => {
    const text = doctorText(diagnosis, noPaint).join("\n")
    expect(text).toContain("Then, for these settings to count: select pg_reload_conf();")
    expect(text).toContain("The server has to be restarted for: max_connections.")
    expect(text).toContain("too old to have them: pg_stat_statements.")
    expect(text).toContain("1 problem, 1 warning; 50 things looked at on PostgreSQL 18.4, memory not known")
  })

  test("of a server and a log that are well says so", () => {
    const well = { ...diagnosis, findings: [], unseen: [] }
    expect(doctorText(well, noPaint)).toEqual([
      "All is as advised; 50 things looked at on PostgreSQL 18.4, memory not known (--memory)."
    ])
  })

  test.each([
    ["", 5, [""]],
    ["one two", 7, ["one two"]],
    ["one two", 6, ["one", "two"]],
    ["incomprehensible it is", 4, ["incomprehensible", "it", "is"]]
  ])("%j in lines of %i columns", (text, width, lines) => {
    expect(paragraph(text, width)).toEqual(lines)
  })
})
