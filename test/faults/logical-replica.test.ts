import { afterAll, beforeAll, expect, test } from "vitest"
import { LogRewound } from "../../src/index.ts"
import { migrate } from "../../src/engine/migration.ts"
import { connected } from "../support/admin.ts"
import type { Cluster } from "../support/cluster.ts"
import { collector, until } from "../support/eventually.ts"
import { privateServer } from "../support/server.ts"
import { engines } from "./scene.ts"

// Rule S7 on a logical replica: it is no standby, its sequence stays behind, and its tables are those of the origin.

const SLOT = "tidemark_origin"

let server: Cluster
const open = engines()
const urlOf = (name: string): string => server.url.replace(/postgres$/, name)
const sql = (name: string, text: string) =>
  connected(
    urlOf(name),
    async (client) => (await client.query(text)).rows as ReadonlyArray<Record<string, unknown>>
  )

beforeAll(async () => {
  server = await privateServer({ wal_level: "logical" })
  for (const name of ["origin", "replica"]) {
    await sql("postgres", `create database ${name}`)
    await migrate({ database: urlOf(name) })
  }
  const tables = "events, streams, log, epochs, settled, categories"
  await sql(
    "replica",
    "truncate tidemark.log, tidemark.epochs, tidemark.settled, tidemark.streams, tidemark.categories"
  )
  await sql(
    "origin",
    `create publication tidemark for table ${tables
      .split(", ")
      .map((table) => `tidemark.${table}`)
      .join(", ")}`
  )
  // A server that subscribes to itself has to make the slot apart.
  await sql("origin", `select pg_create_logical_replication_slot('${SLOT}', 'pgoutput')`)
  await sql(
    "replica",
    `create subscription ${SLOT} connection 'host=127.0.0.1 port=${server.port} user=postgres dbname=origin'
     publication tidemark with (create_slot = false, slot_name = '${SLOT}')`
  )
})
const replicated = (query: string) =>
  until(async () => (await sql("replica", query)).length === 1, { what: `the replica to have: ${query}` })

afterAll(() => server?.remove())

test("a logical replica is followed as a standby is, and when it is cut loose it is a log of a new epoch", async () => {
  const origin = await open({ database: urlOf("origin") })
  const first = await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.log join tidemark.events on true")

  const replica = await open({ database: urlOf("replica") })
  expect(await replica.status()).toMatchObject({ standby: true, epoch: 1 })
  const written = await origin.subscribe({ from: "now" }, () => {})
  for (let n = 0; n < 5; n++) await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.settled where position = 6")
  const heard = collector<number>()
  await replica.subscribe({ from: "start" }, ({ position }) => heard.push(position))
  await heard.reaches(6)

  await (await replica.subscribe({ from: first.token }, () => {})).stop()
  const last = await origin.emit("order-1", { type: "Made" })
  await replicated("select from tidemark.events where position = 7")
  await sql("replica", `drop subscription ${SLOT}`)
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
