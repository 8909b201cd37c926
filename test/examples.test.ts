import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { TELEMETRY_NAMES } from "../src/log/telemetry.ts"
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

describe("docs/telemetry.md", () => {
  const named = new Set(
    [
      ...readFileSync(path.join(root, "docs/telemetry.md"), "utf8").matchAll(/`((?:tidemark|error)[\w.]*)`/g)
    ].map((match) => match[1]!)
  )

  it("names each span, metric and attribute", () => {
    expect(Object.values(TELEMETRY_NAMES).filter((name) => !named.has(name))).toEqual([])
  })

  it("names none that is not there", () => {
    const known = new Set<string>(Object.values(TELEMETRY_NAMES))
    expect([...named].filter((name) => !known.has(name))).toEqual([])
  })
})

describe("the README", () => {
  it("links only to what is there, and is packed with it", () => {
    const readme = readFileSync(path.join(root, "README.md"), "utf8")
    const { files } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { files: string[] }
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!)
    expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([])
    expect(links.filter((link) => !files.includes(link.split("/")[0]!))).toEqual([])
  })

  it("shows the first example as it is, in 20 lines or a few more", () => {
    const readme = readFileSync(path.join(root, "README.md"), "utf8")
    const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
    expect(shown).toBe(readFileSync(path.join(root, "examples/00-readme.ts"), "utf8"))
    expect(shown!.trim().split("\n").length).toBeLessThanOrEqual(25)
  })
})
