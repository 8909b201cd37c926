import { afterAll } from "vitest"
import { resourcesBefore, Leaked, resourcesSince } from "./leaks.ts"

// Vitest loads this before each test file. Hooks end in reverse order, so this check comes after all of the file's own.

const atStart = resourcesBefore()
const unhandled: Array<unknown> = []
const note = (reason: unknown) => void unhandled.push(reason)
process.on("unhandledRejection", note)

afterAll(async () => {
  const resources = await resourcesSince(atStart)
  process.off("unhandledRejection", note)
  const leaks = [...resources, ...unhandled.map((reason) => `an unhandled rejection: ${String(reason)}`)]
  if (leaks.length > 0) throw new Leaked(leaks)
})
