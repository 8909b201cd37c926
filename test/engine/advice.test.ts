import { describe, expect, test } from "vitest"
import { type Advice, judge, judged } from "../../src/engine/doctor/advice.ts"
import { ADVICE } from "../../src/engine/doctor/doctor.ts"
import type { Setting } from "../../src/engine/doctor/facts.ts"
import { sizeSetting, timeSetting } from "../../src/engine/doctor/setting.ts"
import { cases } from "./advice-cases.ts"
import { GIGABYTE, healthy, withServer, withSettings } from "./healthy.ts"

const all: ReadonlyArray<Advice> = Object.values(ADVICE).flat()

const named = (name: string): Advice => all.find((one) => one.name === name)!

describe("advice", () => {
  test("is declared once each, and each is tried with what is well and what is not", () => {
    const names = all.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(Object.keys(cases).toSorted()).toEqual(names.toSorted())
  })

  test("finds nothing where all is well", () => {
    expect(judge(all, healthy)).toEqual({ findings: [], unseen: [] })
  })

  test.each(Object.entries(cases))("on %s", (name, [good, bad]) => {
    for (const facts of good) expect(judged(named(name), facts)).toBeUndefined()
    for (const [facts, found] of bad) {
      const finding = judged(named(name), facts)!
      expect(finding).toMatchObject({ name, found, severity: named(name).severity })
      // Each says what to do.
      expect(finding.statements.length + (finding.remedy ?? "").length).toBeGreaterThan(0)
    }
  })

  test("reads no setting that it does not name, so that one that cannot be seen breaks nothing", () => {
    for (const advice of all) {
      const { reads = [] } = advice
      const server = {
        ...healthy.server,
        settings: Object.fromEntries(reads.map((name) => [name, healthy.server.settings[name]!]))
      }
      expect(judged(advice, { ...healthy, server })).toBeUndefined()
      for (const name of reads) {
        const { [name]: _hidden, ...settings } = healthy.server.settings
        expect(judge([advice], withServer({ settings }))).toEqual({ findings: [], unseen: [advice.name] })
      }
    }
  })

  test("is told the worst first", () => {
    const facts = withServer(
      { encoding: "LATIN1" },
      withSettings({ jit: "on", fsync: "off", idle_session_timeout: "1000" })
    )
    const { findings } = judge(all, facts)
    expect(findings.map(({ name, severity }) => [severity, name])).toEqual([
      ["problem", "fsync"],
      ["problem", "server_encoding"],
      ["warning", "idle_session_timeout"],
      ["hint", "jit"]
    ])
  })
})

describe("a setting is changed where it was set", () => {
  const jit = (given: Partial<Setting>) => {
    const setting: Setting = { ...healthy.server.settings["jit"]!, value: "on", ...given }
    const settings = { ...healthy.server.settings, jit: setting }
    return judged(named("jit"), withServer({ settings, user: 'a "b"' }))!
  }

  test.each<[Partial<Setting>, ReadonlyArray<string>, string]>([
    [{ source: "default" }, ["alter system set jit = 'off';"], "reload"],
    [{ source: "configuration file" }, ["alter system set jit = 'off';"], "reload"],
    [{ context: "postmaster" }, ["alter system set jit = 'off';"], "restart"],
    [{ source: "user" }, [`alter role "a ""b""" set jit = 'off';`], "new connections"],
    [{ source: "database" }, [`alter database "fleet" set jit = 'off';`], "new connections"],
    [
      { source: "database user" },
      [`alter role "a ""b""" in database "fleet" set jit = 'off';`],
      "new connections"
    ],
    [{ source: "client" }, [], "new connections"],
    [{ source: "command line" }, [], "restart"]
  ])("%o", (given, statements, takes) => {
    const finding = jit(given)
    expect(finding).toMatchObject({ statements, takes })
    expect(finding.remedy === null).toBe(statements.length > 0)
  })

  test("and one that waits for a restart says so", () => {
    expect(jit({ isPending: true }).remedy).toContain("once the server is restarted")
  })

  test("which is a list stays one of as many elements, whatever they are called", () => {
    const facts = withSettings({ shared_preload_libraries: "citus, it's" })
    expect(judged(named("pg_stat_statements"), facts)!.statements).toEqual([
      "alter system set shared_preload_libraries = 'citus', 'it''s', 'pg_stat_statements';"
    ])
  })
})

test.each([
  [512 * 1024 ** 2, "512MB"],
  [GIGABYTE, "1GB"],
  [1.5 * GIGABYTE, "1536MB"],
  [12.4 * GIGABYTE, "12GB"],
  [1, "1MB"]
])("%i bytes are written %s", (bytes, text) => {
  expect(sizeSetting(bytes)).toBe(text)
})

test.each([
  [1, "1ms"],
  [1_500, "1500ms"],
  [90_000, "90s"],
  [900_000, "15min"],
  [0, "0s"]
])("%i ms are written %s", (ms, text) => {
  expect(timeSetting(ms)).toBe(text)
})
