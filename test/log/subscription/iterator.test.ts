import { describe, expect, test } from "vitest"
import { collector, inTime, until } from "../../support/eventually.ts"
import { testLog, upTo } from "../test-log.ts"

const log = testLog()

const running = async () => (await log.engine.status()).subscriptions.length

describe("engine.events()", () => {
  test("gives the events of its filter as they come, from where it is told", async () => {
    const stream = log.stream()
    await log.engine.emit(
      stream,
      upTo(3).map(() => ({ type: "Old" }))
    )
    const heard: Array<string> = []
    for await (const { type, version } of log.engine.events({ from: "start", streams: [stream] })) {
      heard.push(`${type} ${version}`)
      if (version === 3) await log.engine.emit(stream, { type: "New" })
      if (version === 4) break
    }
    expect(heard).toEqual(["Old 1", "Old 2", "Old 3", "New 4"])
  })

  test("ends its subscription when the loop is left, by break or by an error", async () => {
    const stream = log.stream()
    await log.engine.emit(
      stream,
      upTo(10).map(() => ({ type: "Old" }))
    )
    const before = await running()
    for await (const _ of log.engine.events({ from: "start", streams: [stream] })) {
      expect(await running()).toBe(before + 1)
      break
    }
    await until(async () => (await running()) === before)
    const failing = async () => {
      for await (const _ of log.engine.events({ from: "start", streams: [stream] })) throw new Error("out")
    }
    await expect(failing()).rejects.toThrow("out")
    await until(async () => (await running()) === before)
  })

  test("ends when its engine is closed, also while it waits", async () => {
    const engine = await log.open()
    const ended = (async () => {
      for await (const _ of engine.events({ streams: [log.stream()] }));
      return "ended"
    })()
    await until(async () => (await engine.status()).subscriptions.length === 1)
    await engine.close()
    expect(await inTime(ended)).toBe("ended")
  })

  test("reads on at the pace of its consumer, and misses nothing", async () => {
    const stream = log.stream()
    const heard = collector<number>()
    const consuming = (async () => {
      for await (const { version } of log.engine.events({ from: "start", streams: [stream] })) {
        heard.push(version)
        if (version % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
        if (version === 3_000) return
      }
    })()
    for (const _ of upTo(6))
      await log.engine.emit(
        stream,
        upTo(500).map(() => ({ type: "N" }))
      )
    await consuming
    expect(heard.items).toEqual(upTo(3_000))
  })

  test("is refused for a filter that is none, in the loop", async () => {
    const wrong = async () => {
      for await (const _ of log.engine.events({ streams: ["no stream"] }));
    }
    await expect(wrong()).rejects.toMatchObject({ _tag: "InvalidName" })
    const beyond = async () => {
      for await (const _ of log.engine.events({ from: 1e9 }));
    }
    await expect(beyond()).rejects.toMatchObject({ _tag: "LogRewound" })
  })
})
