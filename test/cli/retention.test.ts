import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { retentionText } from "../../src/cli/retention-text.ts"
import { noPaint } from "../../src/cli/terminal/palette.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"
import type { RetentionReport } from "../../src/engine/upkeep.ts"
import { type Engine, open } from "../../src/index.ts"
import { age, allPast, leap, tell, WIDTH } from "../engine/retention/fleet.ts"
import { testDatabase } from "../support/database.ts"
import { run } from "./tidemark.ts"

const db = testDatabase()
let engine: Engine
let directory = ""

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-archive-"))
  engine = await open({ database: db.url, logger: false })
  const last = await tell(engine, 1)
  await age(db, last, 40)
  await leap(db, 1)
  await tell(engine, 1)
  await allPast(db, WIDTH)
})
afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

describe("tidemark retention", () => {
  test("tells what it would do, does it, and shows what was archived", async () => {
    const would = await run(["retention", "--dry-run", "-d", db.url])
    expect(would).toMatchObject({ code: 0, stderr: expect.stringContaining("drop telemetry_0 …") })
    expect(would.stdout).toMatch(/^would: retire heartbeat, 2 events$/m)
    expect(would.stdout).toContain("nothing was done.")
    expect(would.stdout).toContain("telemetry_1 stays: the log has not come to its end yet.")

    const broken = await run(["retention", "--archive", "/dev/null/x", "-d", db.url])
    expect(broken.code).toBe(1)
    expect(broken.stdout).toMatch(/^failed: archive telemetry_0$/m)

    const did = await run(["retention", "--archive", directory, "--json", "-d", db.url])
    expect(did).toMatchObject({ code: 0, stderr: "" })
    const report = JSON.parse(did.stdout) as RetentionReport
    expect(report.partitions[0]).toMatchObject({ outcome: "dropped", archive: { events: 7 } })

    const file = join(directory, (await engine.status()).log, "telemetry_0.jsonl.gz")
    const shown = await run(["replay", "--archive", file, "--json", "-d", db.url])
    expect(shown).toMatchObject({ code: 0, stderr: "" })
    expect(shown.stdout.trim().split("\n")).toHaveLength(7)
    const some = await run(["replay", "--archive", file, "-n", "2", "-d", db.url])
    expect(some.stdout.trim().split("\n")).toHaveLength(2)
    const none = await run(["replay", "--archive", "/no/where", "--json", "-d", db.url])
    expect(none.code).toBe(1)
    expect(JSON.parse(none.stderr)).toMatchObject({ error: { name: "ArchiveDamaged" } })
    expect((await run(["replay", "--archive", file, "--types", "X", "-d", db.url])).code).toBe(2)
  })
})

test("fits its width, and hides nothing that a terminal would obey", () => {
  const report: RetentionReport = {
    isDryRun: false,
    tookMs: 90_000,
    categories: [
      { category: "heartbeat", keptDays: 1, retiredUpTo: 12_345_678 },
      { category: "a-very-long-category-".repeat(3), keptDays: null, retiredUpTo: 0 }
    ],
    partitions: [
      {
        partition: "telemetry_0",
        from: 0,
        upTo: 10_000_000,
        bytes: 3 * 1024 ** 3,
        outcome: "dropped",
        why: null,
        archive: { file: "telemetry_0.jsonl.gz", bytes: 1024 ** 2, events: 1, sha256: "" }
      },
      {
        partition: "telemetry_1",
        from: 10_000_000,
        upTo: 20_000_000,
        bytes: 0,
        outcome: "stays",
        why: "subscription \u001b[31mred has come to position 3 only",
        archive: null
      }
    ],
    steps: [
      {
        kind: "retire",
        subject: "heartbeat",
        why: "old",
        outcome: "done",
        problem: null,
        events: 1,
        tookMs: 3
      },
      {
        kind: "drop",
        subject: "telemetry_0",
        why: "all of it is over",
        outcome: "failed",
        problem: "no\u001b[2J room",
        events: null,
        tookMs: 3
      }
    ]
  }
  for (const width of [40, 80, 200]) {
    const lines = retentionText(report, noPaint, width)
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
    expect(lines.join("\n")).not.toContain("\u001b")
  }
  const lines = retentionText(report, noPaint)
  expect(lines).toContain("done: retire heartbeat, 1 event in 3.0 ms")
  expect(lines).toContain(
    "telemetry_0  0           10,000,000  3.0 GB  dropped, archived as telemetry_0.jsonl.gz (1.0 MB)"
  )
  expect(lines.at(-1)).toBe("1 partition, 3.0 GB, dropped in 1 m.")
})
