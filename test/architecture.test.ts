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
  ["src/log/breach.ts", "../cache/cache.ts"],
  ["src/state/breach.ts", "../cache/cache.ts"],
  ["src/cache/breach.ts", "../engine/engine.ts"],
  ["src/cache/breach.ts", "../projection/definition.ts"],
  ["src/cache/breach.ts", "../fleet/fleet.ts"],
  ["src/cache/breach.ts", "pg"],
  ["src/projection/breach.ts", "../consumer/consumer.ts"],
  ["src/projection/breach.ts", "../engine/engine.ts"],
  ["src/projection/breach.ts", "pg"],
  ["src/projection/breach.ts", "#projections/index.ts"],
  ["src/state/breach.ts", "../consumer/consumers.ts"],
  ["src/state/breach.ts", "../engine/engine.ts"],
  ["src/state/breach.ts", "../../projections/states/states.ts"],
  ["src/state/breach.ts", "pg"],
  ["src/state/merge/breach.ts", "../tier.ts"],
  ["src/state/merge/breach.ts", "../past/refs.ts"],
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
  ["src/cache/fine.ts", "../log/error.ts"],
  ["src/engine/fine.ts", "../cache/cache.ts"],
  ["src/engine/fine.ts", "pino"],
  ["src/cli/fine.ts", "../engine/engine.ts"],
  ["src/testing/fine.ts", "../engine/open.ts"],
  ["src/testing/fine.ts", "../postgres/embedded/server.ts"],
  ["projections/agents/fine.ts", "../../src/projection/definition.ts"],
  ["projections/states/fine.ts", "../../src/state/tier.ts"]
]

/** Where a file that imports something lies, among the others. */
const placeOf = (file: string, nth: number): string => file.replace(/\.ts$/, `-${nth}.ts`)

/** The files of a house that the linter has something to say about, each of which imports one thing. */
const refusedIn = (
  directory: string,
  files: ReadonlyArray<readonly [file: string, importing: string]>
): ReadonlySet<string> => {
  for (const [nth, [file, importing]] of files.entries()) {
    const target = path.join(directory, placeOf(file, nth))
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, `import { thing } from "${importing}"\nexport const used = thing\n`)
  }
  const { stdout } = spawnSync(oxlint, ["-A", "all", "-D", "no-restricted-imports", "-f", "json"], {
    cwd: directory,
    encoding: "utf8"
  })
  const { diagnostics } = JSON.parse(stdout) as {
    readonly diagnostics: ReadonlyArray<{ readonly code: string; readonly filename: string }>
  }
  return new Set(
    diagnostics
      .filter(({ code }) => code.includes("no-restricted-imports"))
      .map(({ filename }) => path.relative(directory, path.resolve(directory, filename)))
  )
}

const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, file))
    .filter((file) => /\.(?:ts|sql)$/.test(file))

describe("the linter", () => {
  const files = [...breaches, ...allowed]
  let house = ""
  let refused: ReadonlySet<string> = new Set()
  beforeAll(() => {
    house = mkdtempSync(path.join(tmpdir(), "tidemark-floors-"))
    cpSync(path.join(root, ".oxlintrc.json"), path.join(house, ".oxlintrc.json"))
    refused = refusedIn(house, files)
  })
  afterAll(() => rmSync(house, { recursive: true }))

  const isRefused = (file: string, importing: string): boolean =>
    refused.has(
      placeOf(
        file,
        files.findIndex(([one, what]) => one === file && what === importing)
      )
    )

  it.each(breaches)("refuses that %s imports %s", (file, importing) => {
    expect(isRefused(file, importing)).toBe(true)
  })

  it.each(allowed)("lets %s import %s", (file, importing) => {
    expect(isRefused(file, importing)).toBe(false)
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
