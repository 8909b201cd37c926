import { describe, expect, test } from "vitest"
import { fromEnvironment } from "../../../src/engine/settings/environment.ts"
import { PLACE, SETTINGS } from "../../../src/engine/settings/settings.ts"

// Settings by variables of the environment: each by all of its names, twins that differ by none.

const read = (environment: Record<string, string>) => fromEnvironment(environment, () => true)

const valuesOf = (environment: Record<string, string>) => {
  const { values, problems } = read(environment)
  expect(problems).toEqual([])
  return values
}

const problemsOf = (environment: Record<string, string>) =>
  read(environment).problems.map(({ where, problem }) => `${where} ${problem}`)

describe("a setting", () => {
  test.each<[string, string, string, unknown]>([
    ["TIDEMARK_SCHEMA", "fleet", "schema", "fleet"],
    ["TIDEMARK_POOL_SIZE", "20", "poolSize", 20],
    ["POSTGRESQL_POOL_SIZE", " 20 ", "poolSize", 20],
    ["POSTGRES_POOL_MAX_SIZE", "20", "poolSize", 20],
    ["POSTGRES_POOL_MIN_SIZE", "5", "poolMinimum", 5],
    ["POSTGRESQL_TIMEOUT", "30", "answerTimeoutMs", 30_000],
    ["POSTGRESQL_TIMEOUT", "0.5", "answerTimeoutMs", 500],
    ["TIDEMARK_ANSWER_TIMEOUT_MS", "250", "answerTimeoutMs", 250],
    ["TIDEMARK_PREPARED_STATEMENTS", "No", "preparedStatements", false],
    ["TIDEMARK_READ_MODELS", "follow", "readModels", "follow"],
    ["TIDEMARK_LEASE_MS", "4000", "leaseMs", 4000],
    ["SESSION_DEFAULT_TTL", "86400", "sessionTtlMs", 86_400_000],
    ["DEFAULT_HEARTBEAT_INTERVAL", "60", "heartbeatIntervalMs", 60_000],
    ["HEALTH_CHECK_INTERVAL", "30", "healthCheckMs", 30_000],
    ["DEFAULT_MAX_RETRIES", "3", "maxRetries", 3],
    ["DATABASE_URL", "postgres://db/fleet", "database", "postgres://db/fleet"]
  ])("is said by %s=%s", (variable, text, name, value) => {
    expect(valuesOf({ [variable]: text })).toEqual({ [name]: value })
  })

  test("is not said by a variable that is empty", () => {
    const variables = [...SETTINGS, ...PLACE].flatMap((setting) => setting.variables.map(({ name }) => name))
    expect(variables.length).toBeGreaterThan(20)
    expect(new Set(variables).size).toBe(variables.length)
    expect(valuesOf(Object.fromEntries(variables.map((name) => [name, ""])))).toEqual({})
  })

  test("may be said twice, as long as it is the same", () => {
    expect(
      valuesOf({ POSTGRESQL_TIMEOUT: "30", POSTGRES_TIMEOUT: "30.0", TIDEMARK_ANSWER_TIMEOUT_MS: "30000" })
    ).toEqual({ answerTimeoutMs: 30_000 })
  })

  test("is refused where twins contradict each other, by the names of both", () => {
    expect(problemsOf({ POSTGRESQL_POOL_SIZE: "10", POSTGRES_POOL_MAX_SIZE: "20" })).toEqual([
      "POSTGRESQL_POOL_SIZE and POSTGRES_POOL_MAX_SIZE say different things of poolSize: set one of them, or both to the same"
    ])
  })

  test.each<[string, string, string]>([
    ["POSTGRES_POOL_MAX_SIZE", "many", 'is "many": give a whole number from 1 to 10000 (connections)'],
    ["POSTGRES_POOL_MAX_SIZE", "0", "is 0: give a whole number from 1 to 10000 (connections)"],
    ["POSTGRES_POOL_MAX_SIZE", "1e3", 'is "1e3": give a whole number from 1 to 10000 (connections)'],
    ["POSTGRES_POOL_MAX_SIZE", "2.5", "is 2.5: give a whole number from 1 to 10000 (connections)"],
    ["POSTGRESQL_PORT", "70000", "is 70000: give a whole number from 1 to 65535"],
    ["POSTGRESQL_TIMEOUT", "-1", "is -1000: give a whole number from 0 to 2147483647 (ms)"],
    [
      "POSTGRESQL_SSL_MODE",
      "on",
      'is "on": give one of disable, allow, prefer, require, verify-ca, verify-full'
    ],
    ["TIDEMARK_PREPARED_STATEMENTS", "perhaps", 'is "perhaps": give true or false'],
    ["TIDEMARK_READ_MODELS", "lead", 'is "lead": give one of keep, follow']
  ])("is refused as %s=%s", (variable, text, problem) => {
    expect(problemsOf({ [variable]: text })).toEqual([`${variable} ${problem}`])
  })

  test("that code has said is not looked at", () => {
    const environment = { POSTGRESQL_POOL_SIZE: "10", POSTGRES_POOL_MAX_SIZE: "20" }
    expect(fromEnvironment(environment, (name) => name !== "poolSize")).toEqual({ values: {}, problems: [] })
  })
})

describe("the database", () => {
  const parts = {
    POSTGRESQL_HOST: "db",
    POSTGRESQL_PORT: "5433",
    POSTGRESQL_DATABASE: "fleet",
    POSTGRESQL_USER: "ada",
    POSTGRESQL_PASSWORD: "hush",
    POSTGRESQL_SSL_MODE: "require"
  }

  test("is named by its parts, under either family of names", () => {
    const wanted = {
      host: "db",
      port: 5433,
      database: "fleet",
      user: "ada",
      password: "hush",
      sslmode: "require"
    }
    expect(valuesOf(parts)).toEqual({ database: wanted })
    const others = Object.fromEntries(
      Object.entries(parts).map(([name, value]) => [
        name.replace("POSTGRESQL", "POSTGRES").replace("_DATABASE", "_DB"),
        value
      ])
    )
    expect(valuesOf(others)).toEqual({ database: wanted })
    expect(valuesOf({ ...parts, ...others })).toEqual({ database: wanted })
  })

  test("is not named by a password alone, as containers have it lying around", () => {
    expect(valuesOf({ POSTGRES_PASSWORD: "hush", POSTGRES_SSL_MODE: "require" })).toEqual({})
  })

  test("is a connection string with what parts say beside it", () => {
    expect(
      valuesOf({ DATABASE_URL: "postgres://ada@db/fleet", POSTGRES_PASSWORD: "hush", POSTGRES_HOST: "db" })
    ).toEqual({ database: { user: "ada", host: "db", dbname: "fleet", password: "hush" } })
  })

  test.each<[string, string]>([
    ["POSTGRES_HOST", "other"],
    ["POSTGRES_PORT", "5433"],
    ["POSTGRES_DB", "other"],
    ["POSTGRES_USER", "bob"],
    ["POSTGRES_PASSWORD", "loud"],
    ["POSTGRES_SSL_MODE", "disable"]
  ])(
    "is refused where DATABASE_URL and %s contradict each other, and no secret is told",
    (variable, text) => {
      const url = "postgres://ada:hush@db:5432/fleet?sslmode=require"
      const [problem, ...others] = problemsOf({ DATABASE_URL: url, [variable]: text })
      expect(others).toEqual([])
      expect(problem).toMatch(new RegExp(`^DATABASE_URL and ${variable} say different things of database\\.`))
      expect(problem).not.toMatch(/hush|loud/)
    }
  )

  test("is left to whoever connects, where its string cannot be read", () => {
    expect(valuesOf({ DATABASE_URL: "mysql://db", POSTGRES_HOST: "db" })).toEqual({ database: "mysql://db" })
  })
})
