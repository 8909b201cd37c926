import { existsSync } from "node:fs"
import path from "node:path"
import { expect, test } from "vitest"
import { LONG } from "./support/long.ts"

test("what is left to the long run is there, and named once", () => {
  const root = path.resolve(import.meta.dirname, "..")
  expect(LONG.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
  expect(new Set(LONG).size).toBe(LONG.length)
})
