import { afterAll, beforeAll, expect, test } from "vitest"
import { LogRewound, ReadOnly, Unavailable } from "../../src/errors.ts"
import { migrate } from "../../src/engine/migration.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { collector, until } from "../support/eventually.ts"
import { privateServer } from "../support/server.ts"
import { engines } from "./scene.ts"

// Rule S7 on a logical replica: it is no standby, its sequence stays behind, and its tables are those of the origin.

let server: Cluster
const open = engines()
const urlOf = (name: string): string => server.url.replace(/postgres$/, name)
const sql = (name: string, text: string) =>
  connected(
    urlOf(name),
    async (client) => (await client.query(text)).rows as ReadonlyArray<Record<string, unknown>>
  )

/** Makes two logs of which the second is to be a copy of the first. */
const pair = async (origin: string, replica: string): Promise<void> => {
  for (const name of [origin, replica]) {
    await sql("postgres", `create database ${name}`)
    await migrate({ database: urlOf(name) })
  }
  await sql(
    replica,
    "truncate tidemark.log, tidemark.epochs, tidemark.settled, tidemark.streams, tidemark.categories"
  )
  const tables = ["events", "streams", "log", "epochs", "settled", "categories"]
  await sql(
    origin,
    `create publication tidemark for table ${tables.map((table) => `tidemark.${table}`).join(", ")}`
  )
  // A server that subscribes to itself has to make the slot apart.
  await sql(origin, `select pg_create_logical_replication_slot('${origin}', 'pgoutput')`)
}

const follow = (origin: string, replica: string) =>
  sql(
    replica,
    `create subscription ${origin} connection 'host=127.0.0.1 port=${server.port} user=postgres dbname=${origin}'
     publication tidemark with (create_slot = false, slot_name = '${origin}')`
  )

beforeAll(async () => {
  server = await privateServer({ wal_level: "logical" })
})

const replicated = (query: string) =>
  until(async () => (await sql("replica", query)).length === 1, { what: `the replica to have: ${query}` })

afterAll(() => server?.remove())

/** A table is copied while somebody holds the lock 1, and gets no further. */
const holdUpCopy = `
  create function held() returns trigger language plpgsql as
    'begin perform pg_advisory_xact_lock(1); return new; end';
  create trigger held before insert on tidemark.events for each row execute function held();
  alter table tidemark.events enable replica trigger held`

test("a logical replica says nothing of its log before all of it was copied, and then all", async () => {
  await pair("whole", "copy")
  const origin = await open({ database: urlOf("whole") })
  await origin.emit(
    "order-1",
    Array.from({ length: 5 }, () => ({ type: "Made" }))
  )
  await (await origin.subscribe({ from: "start" }, () => {})).stop()
  await sql("whole", "select tidemark.settle()")
  await connected(urlOf("copy"), async (holding) => {
    await holding.query("select pg_advisory_lock(1)")
    await holding.query(holdUpCopy)
    await follow("whole", "copy")
    const rest = "select from tidemark.log, tidemark.epochs, tidemark.settled where position = 5"
    await until(async () => (await sql("copy", rest)).length === 1, { what: "the other tables to be copied" })
    const replica = await open({ database: urlOf("copy") })
    const heard = collector<number>()
    await replica.subscribe({ from: "start" }, ({ position }) => heard.push(position))
    expect(await replica.settled()).toBe(0)
    expect(heard.items).toEqual([])
    await holding.query("select pg_advisory_unlock(1)")
    expect(await heard.reaches(5)).toEqual([1, 2, 3, 4, 5])
    await replica.close()
  })
  await sql("copy", "drop subscription whole")
  await origin.close()
})

test("a logical replica is followed as a standby is, and when it is cut loose it is a log of a new epoch", async () => {
  await pair("origin", "replica")
  await follow("origin", "replica")
  const origin = await open({ database: urlOf("origin") })
  const first = await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.log join tidemark.events on true")

  const replica = await open({ database: urlOf("replica") })
  expect(await replica.status()).toMatchObject({ standby: true, epoch: 1 })
  // A gap of the origin's positions would take an event of ours.
  await sql("replica", "select setval('tidemark.log_position', 1000)")
  await expect(
    replica.transaction(async (tx) => tx.emit("order-2", { type: "Ours" }))
  ).rejects.toBeInstanceOf(ReadOnly)
  const impatient = await open({ database: urlOf("replica"), emitDeadlineMs: 200 })
  await expect(impatient.emit("order-2", { type: "Ours" })).rejects.toBeInstanceOf(Unavailable)
  await impatient.close()
  expect(await sql("replica", "select from tidemark.events where stream = 'order-2'")).toEqual([])
  await sql("replica", "select setval('tidemark.log_position', 1, false)")
  const written = await origin.subscribe({ from: "now" }, () => {})
  for (let n = 0; n < 5; n++) await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.settled where position = 6")
  const heard = collector<number>()
  await replica.subscribe({ from: "start" }, ({ position }) => heard.push(position))
  await heard.reaches(6)

  await (await replica.subscribe({ from: first.token }, () => {})).stop()
  const last = await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.events where position = 7")
  await sql("replica", "drop subscription origin")
  await written.stop()
  const lost = await origin.emit("order-1", { type: "Lost" })
  await origin.close()

  const next = await replica.emit("order-1", { type: "Made" }, { expected: 7 })
  expect(next.position).toBe(lost.position)
  expect(await heard.reaches(8)).toEqual(heard.items.toSorted((a, b) => a - b))
  expect(await replica.status()).toMatchObject({ standby: false, epoch: 2 })
  await expect(replica.subscribe({ from: lost.token }, () => {})).rejects.toBeInstanceOf(LogRewound)
  for (const { token } of [first, last]) await (await replica.subscribe({ from: token }, () => {})).stop()
})
