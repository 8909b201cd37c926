import { once } from "node:events"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { isGoneFromHere, processHere } from "../../src/fleet/process-place.ts"

const here = processHere ?? expect.unreachable("this system tells where a process is")
const ownPid = `${process.pid}.`

/** As a process of this machine would be called that started when another one did. */
const inPlaceOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!
  const [before, own] = [here.slice(0, here.lastIndexOf(ownPid)), here.slice(here.lastIndexOf(ownPid))]
  return `${before}${own.replace(ownPid, `${pid}.`).replace(/\.\d+-/, `.${started}-`)}`
}

describe("a process", () => {
  test("is not gone while it lives, and is once it has ended", async () => {
    expect(isGoneFromHere(here)).toBe(false)
    const child = spawn("sleep", ["60"], { stdio: "ignore" })
    await once(child, "spawn")
    const named = inPlaceOf(child.pid!)
    expect(isGoneFromHere(named)).toBe(false)
    child.kill("SIGKILL")
    await once(child, "exit")
    expect(isGoneFromHere(named)).toBe(true)
  })

  test("of an earlier start with the same pid is gone", () => {
    expect(isGoneFromHere(here.replace(/\.\d+-/, ".1-"))).toBe(true)
  })

  test.each([
    ["another machine, or of this one before it was started", here.replace(/^[0-9a-f]{8}/, "00000000")],
    ["another container", here.replace(/pid:\[\d+\]/, "pid:[1]")]
  ])("of %s is not known to be gone, whatever its pid", (_, elsewhere) => {
    expect(elsewhere).not.toBe(here)
    expect(isGoneFromHere(elsewhere.replace(ownPid, "999999999."))).toBe(false)
  })
})
