import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../", import.meta.url))
const oxlint = path.join(root, "node_modules/.bin/oxlint")

/** Each line would be a way up the house, or out of it. */
const breaches: ReadonlyArray<readonly [file: string, importing: string]> = [
  ["src/base/breach.ts", "../postgres/postgres.ts"],
  ["src/base/breach.ts", "pg"],
  ["src/postgres/breach.ts", "../log/event.ts"],
  ["src/postgres/breach.ts", "pino"],
  ["src/log/breach.ts", "../projection/definition.ts"],
  ["src/log/breach.ts", "../engine/engine.ts"],
  ["src/log/breach.ts", "../../projections/index.ts"],
  ["src/log/breach.ts", "pg"],
  ["src/log/breach.ts", "pino"],
  ["src/log/breach.ts", "../fleet/fleet.ts"],
  ["src/fleet/breach.ts", "../projection/definition.ts"],
  ["src/fleet/breach.ts", "../consumer/consumer.ts"],
  ["src/fleet/breach.ts", "pg"],
  ["src/consumer/breach.ts", "../projection/definition.ts"],
  ["src/consumer/breach.ts", "../engine/engine.ts"],
  ["src/projection/breach.ts", "../consumer/consumer.ts"],
  ["src/projection/breach.ts", "../engine/engine.ts"],
  ["src/projection/breach.ts", "pg"],
  ["src/projection/breach.ts", "#projections/index.ts"],
  ["src/state/breach.ts", "../consumer/consumers.ts"],
  ["src/state/breach.ts", "../engine/engine.ts"],
  ["src/state/breach.ts", "../../projections/states/states.ts"],
  ["src/state/breach.ts", "pg"],
  ["src/state/merge/breach.ts", "../branch.ts"],
  ["src/state/merge/breach.ts", "../../log/event.ts"],
  ["src/state/merge/breach.ts", "effect"],
  ["src/engine/breach.ts", "../cli/main.ts"],
  ["src/engine/breach.ts", "../server/server.ts"],
  ["src/engine/breach.ts", "pg"],
  ["src/engine/breach.ts", "../testing/decider.ts"],
  ["src/log/breach.ts", "../testing/events.ts"],
  ["src/testing/breach.ts", "../cli/main.ts"],
  ["src/testing/breach.ts", "../../projections/index.ts"],
  ["src/testing/breach.ts", "pg"],
  ["src/cli/breach.ts", "../testing/server.ts"],
  ["src/cli/breach.ts", "../log/event.ts"],
  ["src/cli/breach.ts", "../postgres/postgres.ts"],
  ["src/cli/breach.ts", "pg"],
  ["src/cli/breach.ts", "pino"],
  ["projections/agents/breach.ts", "../../src/engine/engine.ts"]
]

const allowed: ReadonlyArray<readonly [file: string, importing: string]> = [
  ["src/log/fine.ts", "../postgres/postgres.ts"],
  ["src/postgres/fine.ts", "pg"],
  ["src/state/merge/fine.ts", "../../base/json-value.ts"],
  ["src/state/merge/fine.ts", "./rule.ts"],
  ["src/engine/fine.ts", "pino"],
  ["src/cli/fine.ts", "../engine/engine.ts"],
  ["src/testing/fine.ts", "../engine/open.ts"],
  ["src/testing/fine.ts", "../postgres/embedded/server.ts"],
  ["projections/agents/fine.ts", "../../src/projection/definition.ts"],
  ["projections/states/fine.ts", "../../src/state/tier.ts"]
]

const lint = (
  directory: string,
  file: string,
  importing: string
): { readonly status: number | null; readonly output: string } => {
  const target = path.join(directory, file)
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, `import { thing } from "${importing}"\nexport const used = thing\n`)
  const { status, stdout } = spawnSync(oxlint, ["-A", "all", "-D", "no-restricted-imports", file], {
    cwd: directory,
    encoding: "utf8"
  })
  return { status, output: stdout }
}

const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, file))
    .filter((file) => /\.(?:ts|sql)$/.test(file))

describe("the linter", () => {
  let house = ""
  beforeAll(() => {
    house = mkdtempSync(path.join(tmpdir(), "tidemark-floors-"))
    cpSync(path.join(root, ".oxlintrc.json"), path.join(house, ".oxlintrc.json"))
  })
  afterAll(() => rmSync(house, { recursive: true }))

  it.each(breaches)("refuses that %s imports %s", (file, importing) => {
    const { status, output } = lint(house, file, importing)
    expect(output).toContain("no-restricted-imports")
    expect(status).not.toBe(0)
  })

  it.each(allowed)("lets %s import %s", (file, importing) => {
    expect(lint(house, file, importing)).toMatchObject({ status: 0 })
  })
})

describe("the house", () => {
  const lineLimit = 350
  const sqlLineLimit = 160
  const exportLimit = 80

  it(`has no source file of more than ${lineLimit} lines, and no SQL file of more than ${sqlLineLimit}`, () => {
    const long = [...filesBelow("src"), ...filesBelow("projections"), ...filesBelow("schema")].filter(
      (file) => {
        const lines = readFileSync(path.join(root, file), "utf8").split("\n").length
        return lines > (file.endsWith(".sql") ? sqlLineLimit : lineLimit)
      }
    )
    expect(long).toEqual([])
  })

  it("names files by what they hold, never utils, helpers, common or types", () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|types|misc|lib)(?:\.ts|\/)/
    expect(
      [...filesBelow("src"), ...filesBelow("projections"), ...filesBelow("test")].filter((file) =>
        vague.test(file)
      )
    ).toEqual([])
  })

  it(`exports at most ${exportLimit} names, each by name`, () => {
    const index = readFileSync(path.join(root, "src/index.ts"), "utf8")
    expect(index).not.toContain("export *")
    const names = [...index.matchAll(/\{([^}]*)\}/g)].flatMap((match) =>
      match[1]!.split(",").filter((name) => name.trim() !== "")
    )
    expect(names.length).toBeLessThanOrEqual(exportLimit)
  })

  it("keeps SQL that defines functions in .sql files; code holds at most short administrative statements", () => {
    const offending = [...filesBelow("src"), ...filesBelow("projections")].filter(
      (file) =>
        file.endsWith(".ts") &&
        /create (?:or replace )?function/i.test(readFileSync(path.join(root, file), "utf8"))
    )
    expect(offending).toEqual([])
  })
})
