import { describe, expect, test } from "vitest"
import { currentRun } from "./support/run.ts"
import { examineServer } from "./support/servers/given.ts"
import { pg15Programs } from "./support/servers/pg15.ts"
import { chosenProvider } from "./support/servers/provider.ts"

const given = "TIDEMARK_TEST_DATABASE_URL"
const wanted = "TIDEMARK_TEST_SERVER"

describe("the choice of a server", () => {
  test.each([
    [{}, "embedded"],
    [{ [wanted]: "" }, "embedded"],
    [{ [wanted]: "embedded" }, "embedded"],
    [{ [wanted]: "pg15" }, "pg15"],
    [{ [wanted]: "containers" }, "containers"],
    [{ [given]: "postgresql://somewhere", [wanted]: "pg15" }, "given"]
  ])("%j means %s", (environment, provider) => {
    expect(chosenProvider(environment)).toBe(provider)
  })

  test("refuses a kind it does not know, and says which it does", () => {
    expect(() => chosenProvider({ [wanted]: "pg16" })).toThrow("say containers, pg15 or embedded")
  })

  test("says how to get PostgreSQL 15 where it is missing", () => {
    expect(() => pg15Programs("/nonexistent")).toThrow("apt-get install postgresql-15")
  })
})

describe("a given server", () => {
  test("is taken when all tests can run on it", async () => {
    await expect(examineServer(currentRun().url)).resolves.toBeUndefined()
  })

  test("is refused when its user may not create databases", async () => {
    const url = new URL(currentRun().url)
    url.searchParams.set("options", "-c role=pg_monitor")
    await expect(examineServer(url.href)).rejects.toThrow("may not create databases: alter role … createdb")
  })

  test("that does not answer is named by its variable, without the URL's password", async () => {
    const refusal = examineServer("postgresql://somebody:secret@127.0.0.1:1/postgres").catch(String)
    expect(await refusal).toMatch(/the server of TIDEMARK_TEST_DATABASE_URL does not answer/)
    expect(await refusal).not.toContain("secret")
  })
})
