import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ArchiveDamaged } from "../../../src/errors.ts"
import { type Engine, type Event, open } from "../../../src/index.ts"
import { connected } from "../../support/admin.ts"
import { testDatabase } from "../../support/database.ts"
import { until } from "../../support/eventually.ts"
import { tidemark } from "../../cli/tidemark.ts"
import { age, allPast, leap, tell, WIDTH } from "./fleet.ts"

// An archive is what the partition was, or there is none, and the partition stays.

const file = testDatabase()
let url = ""
let engine: Engine
let directory = ""

const query = <Row>(sql: string, params: ReadonlyArray<unknown> = []) =>
  connected(url, async (client) => (await client.query(sql, [...params])).rows as ReadonlyArray<Row>)
const db = {
  get url() {
    return url
  },
  query
}

beforeEach(async () => {
  url = await file.fresh()
  directory = await mkdtemp(join(tmpdir(), "tidemark-archive-"))
  engine = await open({ database: url, logger: false, archiveDirectory: directory })
})
afterEach(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

/** What JSON may hold and lines, or doubles, do not. */
const ODD = { lines: "a\u2028b\u2029c\nd\r", quote: '"\\', emoji: "🌊", number: 1e308 }

const past = async (): Promise<void> => {
  await engine.systemEvents.log({ type: "Odd", severity: "INFO", data: ODD })
  await query(
    "insert into tidemark.telemetry (id, stream, version, type, data) values (gen_random_uuid(), 'system_log-x', 1, 'Other', '{\"n\": 12345678901234567890.123456789}')"
  )
  const last = await tell(engine, 1)
  await age(db, last, 40)
  await leap(db, 1)
  await tell(engine, 1)
  await allPast(db, WIDTH)
}

const gathered = async (events: AsyncIterable<Event>): Promise<ReadonlyArray<Event>> => {
  const all = []
  for await (const event of events) all.push(event)
  return all
}

/** The telemetry of the first partition, as the log gives it. */
const inLog = async () =>
  (await gathered(engine.replay({ to: WIDTH - 1 }))).filter(({ stream }) =>
    /^(?:heartbeat|metric|system_log)-/.test(stream)
  )

const archived = async (): Promise<string> =>
  join(directory, (await engine.status()).log, "telemetry_0.jsonl.gz")

const problemOf = async (options?: Parameters<Engine["retain"]>[0]) => {
  const { steps, partitions } = await engine.retain(options)
  expect(partitions[0]).toMatchObject({ outcome: "stays", why: "a step failed", archive: null })
  const failed = steps.find(({ outcome }) => outcome === "failed")
  expect(failed).toMatchObject({ kind: "archive", subject: "telemetry_0" })
  return failed!.problem
}

test("it holds each event as the log had it, to the last digit, and no part files", async () => {
  await past()
  const events = await inLog()
  await engine.retain()
  const path = await archived()
  expect(await gathered(engine.archived(path))).toEqual(events)
  expect(await gathered(engine.archived(path.replace(".jsonl.gz", ".json")))).toEqual(events)
  expect(events.find(({ type }) => type === "SystemEventLogged")).toMatchObject({ data: { data: ODD } })
  expect(gunzipSync(await readFile(path)).toString("utf8")).toContain("12345678901234567890.123456789")
  expect((await readdir(join(path, ".."))).toSorted()).toEqual(["telemetry_0.json", "telemetry_0.jsonl.gz"])
})

describe("a partition stays where its archive", () => {
  test("cannot be written", async () => {
    await past()
    await writeFile(join(directory, "no-directory"), "")
    expect(await problemOf({ archiveDirectory: join(directory, "no-directory") })).toMatch(
      /no-directory.* was not written: .*ENOTDIR/
    )
    expect((await engine.retain({ archiveDirectory: false })).partitions[0]).toMatchObject({
      outcome: "dropped"
    })
  })

  test("would be written over another one", async () => {
    await past()
    const path = await archived()
    await mkdir(join(path, ".."), { recursive: true })
    const manifest = {
      format: "tidemark-telemetry-archive/1",
      log: "other",
      partition: "telemetry_0",
      from: 0,
      upTo: WIDTH
    }
    await writeFile(path, gzipSync("{}\n"))
    await writeFile(
      path.replace(".jsonl.gz", ".json"),
      JSON.stringify({
        ...manifest,
        categories: [],
        file: "telemetry_0.jsonl.gz",
        bytes: 1,
        events: 1,
        sha256: "",
        archivedAt: ""
      })
    )
    expect(await problemOf()).toContain("another archive of that name is there")
    expect(gunzipSync(await readFile(path)).toString()).toBe("{}\n")
  })
})

describe("a file that is no archive is refused", () => {
  const damaged = async (detail: RegExp, path?: string) => {
    const given = gathered(engine.archived(path ?? (await archived())))
    await expect(given).rejects.toBeInstanceOf(ArchiveDamaged)
    await expect(given).rejects.toThrow(detail)
  }

  test("however it came to be none", async () => {
    await damaged(/there is no nothing\.json beside it/, join(directory, "nothing"))
    await past()
    await engine.retain()
    const path = await archived()
    const manifest = path.replace(".jsonl.gz", ".json")
    const [whole, said] = [await readFile(path), await readFile(manifest, "utf8")]

    await truncate(path, whole.length - 20)
    await damaged(/unexpected end of file/)
    await writeFile(path, gzipSync(gunzipSync(whole).subarray(0, -10)))
    await damaged(/cannot be trusted/)
    await writeFile(path, gzipSync(gunzipSync(whole).toString("utf8").replace("round 0", "round 9")))
    await damaged(/and its manifest speaks of/)
    await writeFile(path, whole)
    await appendFile(path, gzipSync("{}\n"))
    await damaged(/and its manifest speaks of/)
    await writeFile(path, "plain")
    await damaged(/incorrect header check/)
    await rm(path)
    await damaged(/ENOENT/)

    await writeFile(path, whole)
    await writeFile(manifest, said.replace("archive/1", "archive/9"))
    await damaged(/its format is "tidemark-telemetry-archive\/9"/)
    await writeFile(manifest, said.slice(0, 40))
    await damaged(/it is no JSON/)
    await writeFile(manifest, "{}")
    await damaged(/format/)
    await writeFile(manifest, said)
    expect((await gathered(engine.archived(path))).length).toBeGreaterThan(0)
  })
})

test("an archive of what the partition held before is not taken for one of what it holds now", async () => {
  await past()
  await connected(url, async (client) => {
    await client.query("begin; lock table tidemark.telemetry_0 in access share mode")
    await using killed = tidemark(["retention", "--archive", directory, "-d", url])
    await until(async () => killed.stderr.items.some((line) => line.startsWith("drop telemetry_0")))
    killed.signal("SIGKILL")
    await killed.exited()
    await client.query("rollback")
  })
  // As after a restore: as many events, and others.
  await connected(url, async (client) => {
    await client.query("set session_replication_role = replica")
    await client.query(
      "update tidemark.telemetry set data = '{\"n\": 2}' where position = (select min(position) from tidemark.telemetry)"
    )
  })
  const { partitions, steps } = await until(() => engine.retain())
  expect(partitions[0]).toMatchObject({ outcome: "stays" })
  expect(steps.at(-1)!.problem).toContain("which is not what the partition holds now")
})

test("events that are large are archived, a few at a time", async () => {
  await query(
    `insert into tidemark.telemetry (position, id, stream, version, type, data, recorded_at)
     select n, gen_random_uuid(), 'system_log-large', n, 'Large', jsonb_build_object('text', repeat('x', 1000000)), now() - interval '40 days' from generate_series(100, 111) n`
  )
  await past()
  await engine.retain()
  const events = await gathered(engine.archived(await archived()))
  expect(events.filter(({ type }) => type === "Large")).toHaveLength(12)
})

test("a run that is killed before it drops is gone on from: one archive, sums told once, nothing lost", async () => {
  await past()
  const events = await inLog()
  await connected(url, async (client) => {
    await client.query("begin; lock table tidemark.telemetry_0 in access share mode")
    await using killed = tidemark(["retention", "--archive", directory, "-d", url])
    await until(async () => killed.stderr.items.some((line) => line.startsWith("drop telemetry_0")))
    killed.signal("SIGKILL")
    await killed.exited()
    await client.query("rollback")
  })
  expect(await inLog()).toEqual(events)
  const written = await readFile(await archived())
  // Its session ends when the server has noticed that nobody is there any more.
  const { partitions } = await until(() => engine.retain())
  expect(partitions[0]).toMatchObject({ outcome: "dropped", archive: { events: events.length } })
  expect(await readFile(await archived())).toEqual(written)
  expect(await gathered(engine.archived(await archived()))).toEqual(events)
  expect(await gathered(engine.read("metric_rollup-0"))).toHaveLength(1)
  expect(await gathered(engine.read("retention-log"))).toHaveLength(1)
})
