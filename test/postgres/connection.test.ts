import { userInfo } from "node:os"
import { inspect } from "node:util"
import { Effect } from "effect"
import * as fc from "fast-check"
import { type ClientConfig, Pool } from "pg"
import { describe, expect, test } from "vitest"
import { BadConnectionString, ConnectionError } from "../../src/postgres/connection-error.ts"
import type { ConnectionSettings } from "../../src/postgres/connection-settings.ts"
import {
  applicationName,
  connection,
  connectionTimeoutMillis,
  describe as described,
  keepAliveInitialDelayMillis,
  redact
} from "../../src/postgres/connection.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

type Input = string | ConnectionSettings

// No home has this name, so that the default files of the machine's own user do not count.
const nowhere = { HOME: "/nonexistent" }

const configured = (input?: Input, environment = {}) =>
  Effect.runSync(connection(input, { ...nowhere, ...environment }))

const refused = (input?: Input, environment = {}) => {
  const error = Effect.runSync(Effect.flip(connection(input, { ...nowhere, ...environment })))
  expect(error).toBeInstanceOf(ConnectionError)
  return error
}

const password = async (config: ClientConfig) =>
  typeof config.password === "function" ? config.password() : config.password

describe("without any settings", () => {
  test("the defaults are localhost, the user of the operating system, and the named constants", () => {
    const user = userInfo().username
    expect(configured()).toMatchObject({
      host: "localhost",
      port: 5432,
      user,
      database: user,
      application_name: applicationName,
      connectionTimeoutMillis,
      keepAlive: true,
      keepAliveInitialDelayMillis,
      ssl: false
    })
    expect([applicationName, connectionTimeoutMillis, keepAliveInitialDelayMillis]).toEqual([
      "tidemark",
      5000,
      10_000
    ])
  })
})

describe("a URL", () => {
  test.each([
    ["postgres://u:p@db:6000/app", { host: "db", port: 6000, user: "u", database: "app" }],
    ["postgresql://u@db/app", { host: "db", port: 5432, user: "u", database: "app" }],
    ["postgres://u@db", { host: "db", user: "u", database: "u" }],
    ["postgres://u@db/", { host: "db", user: "u", database: "u" }],
    ["postgres:///app?user=u", { host: "localhost", user: "u", database: "app" }],
    ["postgres://u@/app", { host: "localhost", user: "u", database: "app" }],
    ["postgres://u@[::1]:6000/app", { host: "::1", port: 6000, database: "app" }],
    ["postgres://u@db/a%20b%2Fc", { database: "a b/c" }],
    ["postgres://u%40corp:p@db/app", { user: "u@corp", host: "db" }],
    [
      "postgres:///app?host=/run/postgresql&port=6000",
      { host: "/run/postgresql", port: 6000, database: "app" }
    ],
    ["postgres://u@%2Frun%2Fpostgresql/app", { host: "/run/postgresql", user: "u", database: "app" }],
    ["postgres://db/app?application_name=a+b%20c", { application_name: "a+b c" }],
    ["postgres://db/app?fallback_application_name=a", { application_name: "a" }],
    [
      "postgres://db/app?connect_timeout=2&keepalives_idle=30",
      { connectionTimeoutMillis: 2000, keepAliveInitialDelayMillis: 30_000 }
    ],
    ["postgres://db/app?connect_timeout=0&keepalives=0", { connectionTimeoutMillis: 0, keepAlive: false }],
    ["postgres://db/app?options=-c%20search_path%3Da", { options: "-c search_path=a" }],
    ["postgres://db/app?uselibpqcompat=true&sslmode=disable", { host: "db", ssl: false }],
    ["  postgres://db/app\n", { host: "db", database: "app" }]
  ])("%s is read as libpq reads it", (url, expected) => {
    expect(configured(url)).toMatchObject(expected)
  })

  test.each([
    ["postgres://u:p%40%3A%2F%3F%23%25@db/app", "p@:/?#%"],
    ["postgres://u:p@ss#w:rd@db/app", "p@ss#w:rd"],
    ["postgres://db/app?user=u&password=p%26q", "p&q"],
    ["postgres://u:p@db/app", "p"]
  ])("%s gives its password", async (url, expected) => {
    const config = configured(url)
    expect(await password(config)).toBe(expected)
    expect(config.host).toBe("db")
  })

  test("every user, password and database survives percent-encoding", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => !value.includes("\0"))
    await fc.assert(
      fc.asyncProperty(text, text, text, async (user, secret, database) => {
        const [u, p, d] = [user, secret, database].map(encodeURIComponent)
        const config = configured(`postgres://${u}:${p}@db:6000/${d}`)
        expect(config).toMatchObject({ user, database, host: "db", port: 6000 })
        expect(await password(config)).toBe(secret)
      })
    )
  })

  test.each([
    ["mysql://u:hunter2@db/app", "the scheme"],
    ["postgres://u:hunter2@db:port/app", "the port"],
    ["postgres://u:hunter2@db:0/app", "the port"],
    ["postgres://u:hunter2@db:65536/app", "the port"],
    ["postgres://u:hunter2@db:1e3/app", "the port"],
    ["postgres://u:hunter2@a,b/app", "the host"],
    ["postgres://u:hunter2@db/a/b", "the database name"],
    ["postgres://u:hunter2/x@db/app", "the database name"],
    ["postgres://u:12/hunter2@db/app", "the database name"],
    ["postgres://u:hunter2%zz@db/app", "the password"],
    ["postgres://u:hunter2%00@db/app", "the password"],
    ["postgres://u@hunter2@db/app", "the URL"],
    ["postgres://u:hunter2@db/app?sslmod=verify-full", "parameter 1 of the URL"],
    ["postgres://u:hunter2@db/app?sslmode=disable&toString=1", "parameter 2 of the URL"],
    ["postgres://db/app?password=hunter2=", "parameter 1 of the URL"],
    ["postgres://u:1?hunter2=1@db/app", "parameter 1 of the URL"],
    ["postgres://u:hunter2@db/app?sslmode=on", "sslmode"],
    ["postgres://u:hunter2@db/app?sslmode=no-verify", "sslmode"],
    ["postgres://u:hunter2@db/app?sslnegotiation=fast&sslmode=require", "sslnegotiation"],
    ["postgres://u:hunter2@db/app?sslnegotiation=direct", "sslnegotiation=direct"],
    ["postgres://u:hunter2@db/app?sslrootcert=system&sslmode=require", "sslrootcert=system"],
    ["postgres://u:hunter2@db/app?channel_binding=require&sslmode=disable", "channel_binding=require"],
    ["postgres://u:hunter2@%2Fsocket/app?channel_binding=require", "channel_binding=require"],
    ["postgres://u:hunter2@db/app?channel_binding=on", "channel_binding"],
    ["postgres://u:hunter2@db/app?connect_timeout=soon", "the connect_timeout"],
    ["postgres://u:hunter2@db/app?keepalives=2", "the keepalives"]
  ])("%s is refused for %s, and the message has no password in it", (url, part) => {
    const { reason, message } = refused(url)
    expect(reason).toBeInstanceOf(BadConnectionString)
    expect(reason).toMatchObject({ part })
    expect(message).not.toContain("hunter2")
    expect(message).not.toContain("12/")
  })

  test("whatever else stands in a URL, no message repeats its password", () => {
    const secret = "correcthorse"
    const noise = fc.string({ unit: fc.constantFrom(..."/?#@:%&=[],;'\" \\a1".split("")), maxLength: 6 })
    fc.assert(
      fc.property(noise, noise, noise, noise, (a, b, c, d) => {
        const result = Effect.runSync(
          Effect.match(connection(`postgres://u${a}:${b}${secret}${c}@db${d}`, nowhere), {
            onSuccess: () => "",
            onFailure: (error) => inspect(error, { depth: 9 }) + JSON.stringify(error)
          })
        )
        expect(result).not.toContain(secret)
      })
    )
  })
})

describe("a keyword string", () => {
  test("is read as libpq reads it, quotes and backslashes included", async () => {
    const config = configured(
      String.raw`host=db  port = 6000 dbname='my db' user=u password='it\'s \\ here' application_name=a\ b`
    )
    expect(config).toMatchObject({
      host: "db",
      port: 6000,
      database: "my db",
      user: "u",
      application_name: "a b"
    })
    expect(await password(config)).toBe("it's \\ here")
  })

  test.each([
    ["password=correct hunter2 host=db", "setting 2"],
    ["password=correct hunter=1", "the keyword of setting 2"],
    ["password='hunter2", "setting 1"],
    ["hunter2", "setting 1"],
    ["host=db constructor=1", "the keyword of setting 2"]
  ])("%s is refused for %s without repeating it", (text, part) => {
    const { reason, message } = refused(text)
    expect(reason).toMatchObject({ _tag: "BadConnectionString", part })
    expect(message).not.toContain("hunter")
  })
})

describe("an object", () => {
  test("has the same keywords, and database for dbname", () => {
    const config = configured({ host: "db", port: 6000, database: "app", user: "u", connect_timeout: 1 })
    expect(config).toMatchObject({
      host: "db",
      port: 6000,
      database: "app",
      user: "u",
      connectionTimeoutMillis: 1000
    })
  })

  test("may have a function for a password that expires", async () => {
    const passwords = ["first", "second"]
    const config = configured({ password: () => passwords.shift() ?? "" })
    expect([await password(config), await password(config)]).toEqual(["first", "second"])
  })

  test.each([
    [{ hots: "db" }, "the setting hots"],
    [{ ssl: { ca: "x" } }, "the setting ssl"],
    [{ host: true }, "the setting host"]
  ])("%j is refused", (settings, part) => {
    expect(refused(settings as ConnectionSettings).reason).toMatchObject({ part })
  })
})

describe("the environment", () => {
  const environment = {
    PGHOST: "envhost",
    PGPORT: "7000",
    PGUSER: "envuser",
    PGPASSWORD: "envsecret",
    PGDATABASE: "envdb",
    PGAPPNAME: "envapp",
    PGCONNECT_TIMEOUT: "9",
    PGOPTIONS: "-c a.b=c",
    PGSSLMODE: "disable"
  }

  test("fills in what was not given", async () => {
    const config = configured(undefined, environment)
    expect(config).toMatchObject({
      host: "envhost",
      port: 7000,
      user: "envuser",
      database: "envdb",
      application_name: "envapp",
      connectionTimeoutMillis: 9000,
      options: "-c a.b=c"
    })
    expect(config.stream).toBeUndefined()
    expect(await password(config)).toBe("envsecret")
  })

  test("gives way to what was given", async () => {
    const config = configured(
      "postgres://u:p@db:1/app?application_name=a&connect_timeout=1&sslmode=require",
      environment
    )
    expect(config).toMatchObject({ host: "db", port: 1, user: "u", database: "app", application_name: "a" })
    expect(config.stream).toBeDefined()
    expect(await password(config)).toBe("p")
  })

  test("counts an empty value as none, its own and a given one", () => {
    expect(configured({ host: "" }, { PGHOST: "envhost", PGPORT: "" })).toMatchObject({
      host: "envhost",
      port: 5432
    })
  })

  test("is checked like everything else", () => {
    expect(refused(undefined, { PGSSLMODE: "always" }).reason).toMatchObject({ part: "sslmode" })
    expect(refused(undefined, { PGPORT: "x" }).reason).toMatchObject({ part: "the port" })
  })
})

describe("what is shown", () => {
  test("describe and redact name server, database and user, and no password", () => {
    const url = "postgres://alice:hunter2@db:6000/app?sslmode=verify-full"
    expect(redact(url, nowhere)).toBe("db:6000/app as alice")
    expect(described(configured("postgres://alice:hunter2@[::1]/app"))).toBe("[::1]:5432/app as alice")
  })

  test("redact repeats nothing of what it cannot read", () => {
    expect(redact("postgres://alice:hunter2@db:x/app", nowhere)).toBe(
      "connection settings that cannot be read"
    )
  })

  test("a configuration that is printed does not show its password", () => {
    const config = configured("postgres://alice:hunter2@db/app")
    expect(inspect(config, { depth: 9 }) + JSON.stringify(config)).not.toContain("hunter2")
  })
})

describe("on a server", () => {
  test("Client and Pool connect with it under the name tidemark", async () => {
    const config = configured(db.url)
    const pool = new Pool(config)
    const shown = await pool.query(
      "select current_database() as name, current_setting('application_name') as app"
    )
    expect(shown.rows).toEqual([{ name: db.name, app: "tidemark" }])
    await pool.end()
  })
})
