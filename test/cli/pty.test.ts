import { describe, expect, test } from "vitest"
import { widthOf } from "../../src/cli/terminal/text.ts"
import { testDatabase } from "../support/database.ts"
import { until, type Wait } from "../support/eventually.ts"
import { type OnTerminal, tidemarkOn } from "./pty.ts"
import type { Terminal } from "./terminal.ts"

const database = testDatabase()

const env = () => ({ DATABASE_URL: database.url })

const controlC = "\x03"
/** No alert, however busy the machine is: it would take the room of what is looked for in the status. */
const calm = ["--threshold", "cpu=1e9,load=1e9,memory=1e9,disk=1e9,loop_delay=1e9"]
const patience: Wait = { within: 20_000 }

/** An event as it is shown: its position, its age, how long it took, its stream and its type. */
const row = /^ +\d+ +\d.* metric-\S+ +MetricRecorded/

const rowsOf = ({ text }: Terminal) => text.filter((line) => row.test(line))

/** Waits until there is such a line, or until the program is over, which then says why. */
const shows = async (started: OnTerminal, pattern: RegExp): Promise<void> => {
  const { terminal } = started
  const isShown = () => terminal.text.some((line) => pattern.test(line))
  await until(() => isShown() || started.isOver, { ...patience, what: String(pattern) })
  if (isShown()) return
  await started.exited()
  throw new Error(`it ended without a line like ${pattern}:\n${terminal.text.join("\n")}`)
}

const summaryBegins = /^ ran +\d/m
const isRemark = (line: string) => line.startsWith(" · ")

/**
 * How wide the widest was of all the lines of the live view, those that were drawn over included. Remarks and the summary are
 * told whole, and may wrap.
 */
const widest = ({ written }: Terminal) =>
  Math.max(
    ...written
      .split(summaryBegins)[0]!
      // eslint-disable-next-line no-control-regex
      .split(/\x1b\[\??\d*[A-Za-z]|[\r\n]+/)
      .filter((line) => !isRemark(line))
      .map(widthOf)
  )

describe("tidemark status --watch on a terminal", () => {
  test("is redrawn in place, keeps to the width, and leaves what was seen last", async () => {
    const columns = 60
    await using started = tidemarkOn(columns, ["status", "--watch", "0.1"], env())
    const { terminal } = started
    await shows(started, /^settled +\d+/)
    expect(terminal.isCursorShown).toBe(false)
    const client = await database.pool.connect()
    try {
      await client.query("set application_name to 'slow'; begin")
      await client.query(`select * from tidemark.append_events('import-1', '[{"type": "Imported"}]')`)
      await database.query(`select * from tidemark.append_events('import-2', '[{"type": "Imported"}]')`)
      await shows(started, /^tail +held/)
    } finally {
      await client.query("rollback; reset application_name")
      client.release()
    }
    await shows(started, /^tail +nobody holds it/)
    expect(terminal.text.filter((line) => line.startsWith("settled"))).toHaveLength(1)
    expect(Math.max(...terminal.text.map(widthOf))).toBeLessThan(columns)
    started.type(controlC)
    await started.exited()
    expect(terminal.isCursorShown).toBe(true)
    expect(terminal.text.some((line) => /^tail +nobody holds it/.test(line))).toBe(true)
  })
})

describe("tidemark start on a terminal", () => {
  test("shows events that scroll over a status line, keeps to the width, and gives the terminal back", async () => {
    const columns = 100
    await using started = tidemarkOn(columns, ["start", "--seconds", "3", ...calm], env())
    const { terminal } = started
    await shows(started, row)
    await shows(started, /^ [\d.]+\/s .*settled \d+ .*lag /)
    expect(terminal.isCursorShown).toBe(false)
    // The footer is below everything: a rule, and the status.
    const [rule, status] = terminal.text.slice(-2)
    expect(rule).toBe("─".repeat(columns - 1))
    expect(status).toMatch(/\/s .*settled/)

    expect(await started.exited()).toBe(0)
    expect(terminal.isCursorShown).toBe(true)
    expect(rowsOf(terminal).length).toBeGreaterThanOrEqual(5)
    const text = terminal.text.join("\n")
    expect(text).toMatch(/^ +position +age .*stream +type/m)
    expect(text).toMatch(/^ ran +[\d.]+ s, position \d+ to \d+$/m)
    expect(text).toMatch(/^ emitted +\d+ events$/m)
    expect(text).toMatch(/^ latency +p50 .* ms/m)
    expect(text).not.toMatch(/settled \d|─{10}|stopping/)
    expect(widest(terminal)).toBeLessThan(columns)
  })

  test("ends at Ctrl-C with its summary and exit code 0, also on a narrow terminal", async () => {
    const columns = 60
    await using started = tidemarkOn(columns, ["start", ...calm], env())
    const { terminal } = started
    await shows(started, /^ +\d+ .*metric-/)
    await shows(started, /^ [\d.]+\/s .*settled/)
    started.type(controlC)
    expect(await started.exited()).toBe(0)
    expect(terminal.isCursorShown).toBe(true)
    const text = terminal.text.join("\n")
    expect(text).toMatch(/^ · stopping …$/m)
    expect(text).toMatch(/^ delivered +\d+ events$/m)
    expect(text).toMatch(/^ projections +agents caught up/m)
    expect(widest(terminal)).toBeLessThan(columns)
    const last = await database.query<{ type: string }>(
      "select type from tidemark.log_events order by position desc limit 2"
    )
    expect(last).toEqual([{ type: "AgentStopped" }, { type: "AgentStopped" }])
  })
})
