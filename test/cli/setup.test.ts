import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { run } from "./tidemark.ts"

// `tidemark setup`: looks before it writes, and writes what is taken afterwards.

const db = testDatabase()

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tidemark-setup-"))
})
afterEach(() => rm(directory, { recursive: true }))

const setup = (...args: ReadonlyArray<string>) => run(["setup", ...args], { cwd: directory })

const written = (name: string): Promise<string> => readFile(join(directory, name), "utf8")

test("writes a file that all commands take their settings from, for its owner alone", async () => {
  const done = await setup("--yes", "--database", db.url, "--schema", "fleet")
  expect(done).toMatchObject({ code: 0, stderr: "" })
  expect(done.stdout).toMatch(/^PostgreSQL \d+\S* .*answers at .+; the schema "fleet" is to be made\.$/m)
  expect(done.stdout).toMatch(/^Written to tidemark\.yaml, for its owner alone to read\.$/m)
  expect(done.stdout).not.toContain(new URL(db.url).password)
  expect((await stat(join(directory, "tidemark.yaml"))).mode & 0o077).toBe(0)
  const { code, stdout } = await run(["status", "--json"], { cwd: directory })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ schema: "fleet" })
  expect((await setup("--yes", "--force", "--database", db.url, "--schema", "fleet")).stdout).toContain(
    'the schema "fleet" is there'
  )
})

test("writes variables of the environment where the file is no YAML", async () => {
  expect(await setup("--yes", "--database", db.url, "--file", "fleet.env")).toMatchObject({ code: 0 })
  expect(await written("fleet.env")).toContain(`DATABASE_URL=${JSON.stringify(db.url)}`)
})

test("asks whoever is there for what the command line does not say, and takes the end of it for nothing more", async () => {
  // Nobody is there.
  expect(await setup("--database", db.url)).toMatchObject({ code: 0 })
  expect(await written("tidemark.yaml")).toMatch(/^# .+\ndatabase: ".+"\n$/)
})

test("writes nothing where it finds no server, or none of these settings can be", async () => {
  const nowhere = await setup("--yes", "--database", "postgres://127.0.0.1:1/none")
  expect(nowhere).toMatchObject({ code: 3, stderr: expect.stringContaining("cannot be reached") })
  const other = await setup("--yes", "--database", "mysql://db")
  expect(other).toMatchObject({ code: 2 })
  await expect(written("tidemark.yaml")).rejects.toThrow("ENOENT")
})

test("leaves a file alone that is there", async () => {
  await writeFile(join(directory, "tidemark.yaml"), "schema: mine\n")
  const refused = await setup("--yes", "--database", db.url)
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("tidemark.yaml is there already: give --force")
  })
  expect(await written("tidemark.yaml")).toBe("schema: mine\n")
})

test("commands say what cannot be taken for settings", async () => {
  await writeFile(join(directory, "tidemark.yaml"), "poolsize: 3\n")
  const refused = await run(["status"], { cwd: directory })
  expect(refused).toMatchObject({ code: 2, stdout: "" })
  expect(refused.stderr).toContain(
    'tidemark.yaml has a setting "poolsize", which is not known: do you mean poolSize?'
  )
})
