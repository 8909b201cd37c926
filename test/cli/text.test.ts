import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { hueOf, noPaint, paint } from "../../src/cli/terminal/palette.ts"
import { payload } from "../../src/cli/terminal/payload.ts"
import { age, counted, elapsed, latency, rate } from "../../src/cli/terminal/quantity.ts"
import {
  cut,
  cutMiddle,
  jsonLine,
  padEnd,
  padStart,
  printable,
  widthOf
} from "../../src/cli/terminal/text.ts"

describe("the width of text", () => {
  test.each([
    ["tide", 4],
    ["", 0],
    ["naïve", 5],
    ["e\u0301", 1],
    ["潮汐", 4],
    ["👩‍💻", 2],
    ["🇩🇪", 2],
    ["한글", 4],
    ["…", 1]
  ])("of %j is %i columns", (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  test("is never more than was asked for after a cut, and short texts stay whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 60 }), (text, width) => {
        const shown = cut(printable(text), width)
        expect(widthOf(shown)).toBeLessThanOrEqual(width)
        if (widthOf(printable(text)) <= width) expect(shown).toBe(printable(text))
      })
    )
  })

  test("is what was asked for after padding", () => {
    expect(padEnd("潮", 4)).toBe("潮  ")
    expect(padStart("12", 4)).toBe("  12")
  })

  test("a name is cut in the middle, so that both ends tell", () => {
    expect(cutMiddle("agent-billing-service-7", 11)).toBe("agent…ice-7")
    expect(cutMiddle("agent-7", 11)).toBe("agent-7")
    expect(cutMiddle("agent-7", 1)).toBe("…")
  })
})

describe("printable", () => {
  test("leaves nothing that could steer a terminal", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      })
    )
    expect(printable("\u001b[31mred\u009b2J")).toBe(" [31mred 2J")
  })
})

describe("quantities", () => {
  test.each([
    [latency(0.04), "0.0 ms"],
    [latency(1.84), "1.8 ms"],
    [latency(9.96), "10 ms"],
    [latency(1500), "1.5 s"],
    [age(-5), "0.0 ms"],
    [age(250), "250 ms"],
    [age(59_000), "59 s"],
    [age(61_000), "1 m"],
    [age(7_200_000), "2 h"],
    [age(200_000_000), "2 d"],
    [elapsed(7_400), "0:07"],
    [elapsed(750_000), "12:30"],
    [elapsed(11_045_000), "3:04:05"],
    [rate(2.44), "2.4/s"],
    [rate(46_200), "46k/s"],
    [rate(1_200_000), "1.2M/s"],
    [counted(1, "event"), "1 event"],
    [counted(0, "event"), "0 events"]
  ])("%s is as short as can be", (text, expected) => {
    expect(text).toBe(expected)
  })
})

describe("an event's data in short", () => {
  test.each([
    [{}, ""],
    [{ state: "running", note: "two words", n: 1.5, none: null }, 'state=running note="two words" n=1.5'],
    [{ occurredAt: "2026-01-01T00:00:00Z", lines: 2 }, "lines=2"],
    [{ name: "cpu", value: 12.5, unit: "%" }, "cpu=12.5%"],
    [{ metric: "cpu", value: 97, unit: "%", limit: 90 }, "cpu=97% limit=90"],
    [
      {
        metrics: [
          { name: "cpu", value: 1, unit: "%" },
          { name: "load", value: 2 }
        ]
      },
      "cpu=1% load=2"
    ],
    [{ a: { b: { c: { d: 1 } } } }, "a={b={…}}"],
    [{ tags: ["x", "y"] }, "tags=[x,y]"],
    ["plain", "plain"],
    [7, "7"],
    [null, "null"]
  ])("%j", (data, text) => {
    expect(payload(data)).toBe(text)
  })

  test("is one line of bounded length, whatever the data", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const text = payload(data)
        expect(text.length).toBeLessThanOrEqual(501)
        expect(text).toBe(printable(text))
      })
    )
    expect(payload({ text: "x".repeat(100_000) }).length).toBeLessThan(200)
  })
})

describe("a line of JSON", () => {
  test("is the value, and nothing in it steers the terminal", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const line = jsonLine(value)
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(line).toBe(printable(line))
      })
    )
    expect(jsonLine({ "\u009b2J": "a\u202eb\u007f", n: "\n" })).toBe(
      String.raw`{"\u009b2J":"a\u202eb\u007f","n":"\n"}`
    )
  })
})

describe("colours", () => {
  test("are the same for the same name, and absent where they are not wanted", () => {
    expect(hueOf("agent")).toBe(hueOf("agent"))
    expect(paint("up", "bold", "green")).toBe("\u001b[1;32mup\u001b[0m")
    expect(noPaint("up", "bold", "green")).toBe("up")
  })
})
