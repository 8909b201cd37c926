import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { testDatabase } from "./support/database.ts"
import { currentRun } from "./support/run.ts"

const root = fileURLToPath(new URL("../", import.meta.url))
const examples = readdirSync(path.join(root, "examples")).filter((file) => file.endsWith(".ts"))
const db = testDatabase()

describe("an example", () => {
  it.each(examples)("%s runs to its end, twice on the same log", async (example) => {
    const compiled = path.resolve(currentRun().workers, "../../examples", example.replace(/\.ts$/, ".js"))
    for (let run = 1; run <= 2; run++) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [compiled], {
        env: { PATH: process.env["PATH"], DATABASE_URL: db.url }
      })
      expect(stderr).toBe("")
      expect(stdout).not.toBe("")
    }
  })
})

describe("the README", () => {
  it("shows the first example as it is, in 20 lines or a few more", () => {
    const readme = readFileSync(path.join(root, "README.md"), "utf8")
    const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
    expect(shown).toBe(readFileSync(path.join(root, "examples/00-readme.ts"), "utf8"))
    expect(shown!.trim().split("\n").length).toBeLessThanOrEqual(25)
  })
})
