import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { open } from "../../src/index.ts"
import { ExitCode } from "../../src/cli/exit-code.ts"
import { widthOf } from "../../src/cli/terminal/text.ts"
import { connected } from "../support/admin.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { tidemarkOn } from "./pty.ts"

const db = testDatabase()
let folder = ""
let file = ""

const EVENTS = 150_000

const controlC = "\x03"

/** Slow enough to be looked at, and quick enough for a test. */
const moduleText = `
  import { Schema } from ${JSON.stringify(import.meta.resolve("effect"))}
  const Counted = {
    type: "Counted", schemaVersion: 1, schema: Schema.Unknown, upcasts: {},
    make: (data) => ({ type: "Counted", data }), is: (event) => event.type === "Counted"
  }
  export default [{
    name: "watched", version: 1, events: [Counted],
    tables: { text: 'create table :"watched" (id text primary key, total integer not null)' },
    relations: ["watched"],
    model: {
      shape: "entities", table: "watched", key: "id", keyOf: (event) => event.stream,
      fold: (row, event) => ({ id: event.stream, total: (row?.total ?? 0) + 1 })
    },
    operations: {}
  }]
`

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tidemark-watched-"))
  file = path.join(folder, "watched.mjs")
  await writeFile(file, moduleText)
  const engine = await open({ database: db.url, logger: false })
  await engine.close()
  await connected(db.url, (client) =>
    client.query(
      `with heads as (insert into tidemark.streams values ('bulk-1', $1, false))
       insert into tidemark.events (id, stream, version, type, data)
       select gen_random_uuid(), 'bulk-1', n, 'Counted', '{}' from generate_series(1, $1::integer) n`,
      [EVENTS]
    )
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const args = () => ["rebuild", "watched", "--module", file]

const env = () => ({ DATABASE_URL: db.url })

const filling = /watched {2}fill {7}\d+ % {2}[\d,]+ events {2}[\d.]+k?\/s {2}\d+:\d\d left/

/** What the terminal shows of the key itself. */
const echo = "^C"

describe("tidemark rebuild on a terminal", () => {
  test("shows one line with share, events, rate and time left, which the report takes the place of", async () => {
    await using started = tidemarkOn(90, args(), env())
    expect(await started.exited()).toBe(ExitCode.ok)
    const { terminal } = started
    expect(terminal.written).toMatch(filling)
    const left = terminal.text.filter((line) => line.trim() !== "")
    expect(left[0]).toMatch(
      /^watched: generation 1, 150,000 events in [\d.]+ s \([\d.]+k\/s\), at position \d+$/
    )
    expect(left).toHaveLength(1)
  })

  test("keeps its line within a narrow terminal, and at Ctrl-C leaves the live tables as they were", async () => {
    await using started = tidemarkOn(30, args(), env())
    const { terminal } = started
    await until(() => terminal.written.includes("fill") || started.isOver, { within: 20_000 })
    started.type(controlC)
    expect(await started.exited()).toBe(ExitCode.interrupted)
    const drawn = terminal.written.split("\x1b[2K").slice(1, -1)
    expect(Math.max(...drawn.map((line) => widthOf(line.replace(echo, "").trimEnd())))).toBeLessThan(30)
    expect(terminal.text.join("").replaceAll("\n", "")).toContain(
      "Given up: the live tables are as they were."
    )
  })
})
