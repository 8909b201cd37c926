import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { fromSources } from "../../../src/engine/settings/sources.ts"
import { type InvalidConfiguration } from "../../../src/errors.ts"

// Settings of code, of the environment and of a file, together.

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-settings-"))
})
afterEach(() => rm(directory, { recursive: true }))

const write = (name: string, text: string) => writeFile(join(directory, name), text)

const settings = (given: object = {}, environment: Record<string, string> = {}) =>
  Effect.runPromise(fromSources({ ...given }, environment, directory))

const problem = (given: object = {}, environment: Record<string, string> = {}): Promise<string> =>
  settings(given, environment).then(
    (found) => `none: ${JSON.stringify(found)}`,
    (thrown: InvalidConfiguration) => `${thrown.name}: ${thrown.message}`
  )

describe("settings", () => {
  test("are none where nobody says any", async () => {
    expect(await settings()).toEqual({})
    expect(await settings({ poolSize: undefined })).toEqual({})
  })

  test("of code go before the environment, and these before a file's", async () => {
    await write("tidemark.yaml", "poolSize: 1\nschema: file\nleaseMs: 1000\n")
    const environment = { TIDEMARK_POOL_SIZE: "2", TIDEMARK_SCHEMA: "environment" }
    expect(await settings({ poolSize: 3 }, environment)).toEqual({
      poolSize: 3,
      schema: "environment",
      leaseMs: 1000
    })
  })

  test.each<[string, string]>([
    ["tidemark.config.ts", "const size: number = 7\nexport default { poolSize: size satisfies number }"],
    ["tidemark.config.mts", "export default async (): Promise<object> => ({ poolSize: 7 })"],
    ["tidemark.config.js", "export default { poolSize: 7 }"],
    ["tidemark.config.mjs", "export default () => ({ poolSize: 7 })"],
    ["tidemark.yaml", "poolSize: 7"],
    ["tidemark.yml", "# how many\npoolSize: 7"]
  ])("are found in %s", async (name, text) => {
    await write(name, text)
    expect(await settings()).toEqual({ poolSize: 7 })
  })

  test("are those of the file that is named, relative to the directory or not", async () => {
    await write("tidemark.yaml", "poolSize: 1")
    await mkdir(join(directory, "etc"))
    await write("etc/fleet.json", '{ "poolSize": 2 }')
    expect(await settings({ config: "etc/fleet.json" })).toEqual({ poolSize: 2 })
    expect(await settings({}, { TIDEMARK_CONFIG: join(directory, "etc/fleet.json") })).toEqual({
      poolSize: 2
    })
    expect(await settings({ config: true })).toEqual({ poolSize: 1 })
    expect(await settings({ config: false }, { TIDEMARK_CONFIG: "etc/fleet.json" })).toEqual({})
  })

  test("of a file that is empty are none", async () => {
    await write("tidemark.yaml", "# nothing yet\n")
    expect(await settings()).toEqual({})
  })
})

describe("where alerts are delivered", () => {
  const url = "https://alerts.example.com/hush"
  const secret = `whsec_${Buffer.alloc(32, "hush").toString("base64")}`

  test("is said with what the deliveries are signed with, by whichever source", async () => {
    expect(await settings({ alertWebhookUrl: url }, { ALERT_WEBHOOK_SECRET: secret })).toEqual({
      alertWebhookUrl: url,
      alertWebhookSecret: secret
    })
  })

  test.each<[string, object, Record<string, string>, string]>([
    ["no secret", { alertWebhookUrl: url }, {}, "alertWebhookUrl needs alertWebhookSecret as well"],
    ["no place", {}, { ALERT_WEBHOOK_SECRET: secret }, "alertWebhookSecret needs alertWebhookUrl as well"],
    ["no URL", {}, { ALERT_WEBHOOK_URL: "hush" }, "ALERT_WEBHOOK_URL is no http or https URL"],
    [
      "a weak secret",
      { alertWebhookSecret: "whsec_aHVzaA==" },
      {},
      "alertWebhookSecret is no secret to sign with"
    ]
  ])("is refused with %s, and no secret is told", async (_, given, environment, told) => {
    const message = await problem(given, environment)
    expect(message).toContain(told)
    expect(message).not.toMatch(/hush|aHVz/)
  })
})

describe("where the log is", () => {
  test("is said by one source as a whole", async () => {
    await write("tidemark.yaml", "database:\n  host: file\n  user: ada\nembedded: false\n")
    expect(await settings()).toEqual({ database: { host: "file", user: "ada" }, embedded: false })
    expect(await settings({}, { POSTGRES_HOST: "environment" })).toEqual({
      database: { host: "environment" },
      embedded: false
    })
    expect(await settings({ embedded: { port: 5433 } }, { POSTGRES_HOST: "environment" })).toEqual({
      embedded: { port: 5433 }
    })
    expect(await settings({ database: "postgres://code" }, { POSTGRES_HOST: "environment" })).toEqual({
      database: "postgres://code",
      embedded: false
    })
  })

  test("may be a password that is asked for", async () => {
    await write("tidemark.config.ts", "export default { database: { host: 'db', password: () => 'hush' } }")
    expect(await settings()).toEqual({ database: { host: "db", password: expect.any(Function) } })
  })
})

describe("what is no setting", () => {
  test.each<[string, object, RegExp]>([
    [
      "a name that is not known",
      { databse: "x" },
      /the options has a setting "databse", which is not known: there are database, /
    ],
    [
      "another way to write one",
      { pool_size: 7 },
      /the options has a setting "pool_size", which is not known: do you mean poolSize\?/
    ],
    ["a part that is not known", { database: { hots: "db" } }, /the options: database has a part "hots"/],
    [
      "a part of an embedded server that is not known",
      { embedded: { dir: "x" } },
      /the options: embedded has a part "dir"/
    ],
    ["a value that cannot be", { poolSize: 0 }, /the options: poolSize is 0: give a whole number from 1/],
    ["a secret that is no text", { database: 7 }, /the options: database is no text/],
    ["an embedded server that is neither", { embedded: "yes" }, /the options: embedded is neither false nor/]
  ])("is refused in code: %s", async (_, given, message) => {
    expect(await problem(given)).toMatch(message)
  })

  test("is told of all at once", async () => {
    const told = await problem({ databse: 1, poolSize: -1 }, { POSTGRES_PORT: "x" })
    for (const one of [
      /^InvalidConfiguration: /,
      /databse/,
      /poolSize is -1/,
      /POSTGRES_PORT is "x"/,
      /docs\/configuration\.md/
    ])
      expect(told).toMatch(one)
  })

  test.each<[string, string, RegExp]>([
    ["tidemark.yaml", "databse: x", /tidemark\.yaml has a setting "databse"/],
    ["tidemark.yaml", "poolSize: many", /tidemark\.yaml: poolSize is "many"/],
    ["tidemark.yaml", "- poolSize", /tidemark\.yaml holds no settings/],
    ["tidemark.yaml", "poolSize: 1\npoolSize: 2", /tidemark\.yaml cannot be read: .*unique/],
    ["tidemark.yaml", "database: [", /tidemark\.yaml cannot be read/],
    ["tidemark.config.ts", "export default { pool: 7 }", /tidemark\.config\.ts has a setting "pool"/],
    ["tidemark.config.ts", "export default 7", /tidemark\.config\.ts holds no settings/],
    ["tidemark.config.ts", "export default {", /tidemark\.config\.ts cannot be read/],
    ["tidemark.config.ts", "throw new Error('not today')", /tidemark\.config\.ts cannot be read: not today/]
  ])("is refused in %s: %s", async (name, text, message) => {
    await write(name, text)
    expect(await problem()).toMatch(message)
  })

  test("is never quoted of a file that cannot be read", async () => {
    await write("tidemark.yaml", "database:\n  password: hush\n  - bad")
    const told = await problem()
    expect(told).toMatch(/cannot be read/)
    expect(told).not.toMatch(/hush/)
  })

  test("is a file that is not there, of another kind, or one of two", async () => {
    expect(await problem({ config: "none.yaml" })).toMatch(/none\.yaml cannot be read/)
    expect(await problem({ config: "fleet.toml" })).toMatch(/fleet\.toml ends in none of \.ts, /)
    await write("tidemark.yaml", "poolSize: 1")
    await write("tidemark.config.ts", "export default { poolSize: 2 }")
    expect(await problem()).toMatch(/tidemark\.config\.ts and tidemark\.yaml are both there/)
    expect(await settings({ config: "tidemark.yaml" })).toEqual({ poolSize: 1 })
  })
})
