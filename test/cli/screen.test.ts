import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Screen } from "../../src/cli/terminal/screen.ts"
import { Terminal } from "./terminal.ts"

const screenOn = (terminal: Terminal): Screen => new Screen(terminal as unknown as NodeJS.WriteStream)

/** Longer than a frame, in ms. */
const A_WHILE = 100

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("Screen", () => {
  test("keeps the footer below what scrolls", () => {
    const terminal = new Terminal(40)
    const screen = screenOn(terminal)
    screen.show(() => ["----", "status 1"])
    vi.advanceTimersByTime(A_WHILE)
    void screen.print("first")
    void screen.print("second")
    vi.advanceTimersByTime(A_WHILE)
    screen.show(() => ["----", "status 2"])
    vi.advanceTimersByTime(A_WHILE)
    expect(terminal.text).toEqual(["first", "second", "----", "status 2"])
    screen.close()
  })

  test("takes the footer away and gives the cursor back when it closes, and loses no line", () => {
    const terminal = new Terminal(40)
    const screen = screenOn(terminal)
    expect(terminal.isCursorShown).toBe(false)
    screen.show(() => ["status"])
    vi.advanceTimersByTime(A_WHILE)
    void screen.print("last words")
    screen.close()
    screen.close()
    expect(terminal.text).toEqual(["last words"])
    expect(terminal.isCursorShown).toBe(true)
    expect(terminal.listenerCount("resize")).toBe(0)
  })

  test("redraws the footer for the new width when the terminal is resized", () => {
    const terminal = new Terminal(40)
    const screen = screenOn(terminal)
    screen.show((width) => [`${width} columns`])
    vi.advanceTimersByTime(A_WHILE)
    terminal.columns = 20
    terminal.emit("resize")
    expect(terminal.text).toEqual(["19 columns"])
    screen.close()
  })

  test("gives the cursor back when the process exits without closing it", () => {
    const terminal = new Terminal(40)
    const before = process.listeners("exit")
    const screen = screenOn(terminal)
    const added = process.listeners("exit").filter((listener) => !before.includes(listener))
    for (const listener of added) listener(0)
    expect(terminal.isCursorShown).toBe(true)
    screen.close()
    expect(process.listeners("exit")).toEqual(before)
  })

  test("draws once for many lines, and tells how many it left out when they are too many to read", () => {
    const terminal = new Terminal(40)
    const screen = screenOn(terminal)
    for (let line = 1; line <= 1000; line++) void screen.print(`line ${line}`)
    vi.advanceTimersByTime(A_WHILE)
    expect(terminal.text[0]).toBe(" … 800 more lines")
    expect(terminal.text.at(-1)).toBe("line 1000")
    screen.close()
  })
})
