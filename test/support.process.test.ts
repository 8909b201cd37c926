import { describe, expect, test } from "vitest"
import { startWorker } from "./support/process.ts"

type Said = { readonly started?: unknown; readonly heard?: unknown }

const startEcho = (input?: unknown) => startWorker<Said>("../support/fixtures/echo-worker", { input })

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("a worker", () => {
  test("is a process of its own that takes an input, hears and answers", async () => {
    await using worker = startEcho({ seed: 7 })
    expect(worker.pid).not.toBe(process.pid)
    expect(await worker.says(1)).toEqual([{ started: { seed: 7 } }])
    worker.send({ text: "ä\n☃" })
    expect(await worker.saysThat(({ heard }) => heard !== undefined)).toEqual({ heard: { text: "ä\n☃" } })
  })

  test("hears what is sent before it listens, in order", async () => {
    await using worker = startEcho("late")
    for (let number = 0; number < 1000; number += 1) worker.send(number)
    const said = await worker.says(1001)
    expect(said.slice(1)).toEqual(Array.from({ length: 1000 }, (_, number) => ({ heard: number })))
  })

  test("is dead when kill resolves", async () => {
    const worker = startEcho()
    await worker.says(1)
    expect(await worker.kill()).toEqual({ code: null, signal: "SIGKILL" })
    expect(isAlive(worker.pid)).toBe(false)
    expect(await worker.exited).toEqual({ code: null, signal: "SIGKILL" })
  })

  test("is killed when its scope ends", async () => {
    let pid = 0
    {
      await using worker = startEcho()
      pid = worker.pid
      await worker.says(1)
      expect(isAlive(pid)).toBe(true)
    }
    expect(isAlive(pid)).toBe(false)
  })

  test("that ends while it is awaited fails the wait at once, with its stderr", async () => {
    await using worker = startEcho()
    await worker.says(1)
    const waiting = worker.says(2, { within: 25_000 })
    worker.send("throw")
    await expect(waiting).rejects.toThrow(/ended \(1\) before it said what was awaited:[^]*told to throw/)
    expect(worker.stderr).toContain("echo-worker")
  })

  test("that writes something else to stdout fails the wait", async () => {
    await using worker = startEcho()
    worker.send("babble")
    await expect(worker.says(2)).rejects.toThrow("not JSON")
  })

  test("ends when the test's process is gone", async () => {
    const parent = startWorker("../support/fixtures/parent-worker")
    expect(await parent.says(1)).toEqual([{ started: "busy" }])
    // The orphan holds the stdout that kill() waits for.
    await parent.kill()
  })

  test("has to exist", () => {
    expect(() => startWorker("nobody")).toThrow("there is no worker test/workers/nobody.ts")
  })
})
