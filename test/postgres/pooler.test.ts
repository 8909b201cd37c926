import { Effect, Exit, Layer, Scope } from "effect"
import net from "node:net"
import { afterAll, afterEach, expect, test } from "vitest"
import { connection } from "../../src/postgres/connection.ts"
import { postgresError } from "../../src/postgres/error.ts"
import { Postgres } from "../../src/postgres/postgres.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/eventually.ts"
import { freePort } from "../support/server-process.ts"

// How a pooler in between is found out, and what is not relied on then. Here somebody stands in for it who only signs its clients
// in as a pooler does; test/pooler has a real one.

const db = testDatabase()
const closing: Array<() => Promise<unknown>> = []
const close = async () => {
  for (const one of closing.splice(0).toReversed()) await one()
}
afterEach(close)
afterAll(close)

/** BackendKeyData: its type and length; the process number and the key follow. */
const keyData = Buffer.from([0x4b, 0, 0, 0, 12])
const madeUp = 1_234_567_890

/** Passes everything on, and while `isPooler` gives out a process number of its own making. */
const startBetween = async (target: string) => {
  const { hostname, port: targetPort } = new URL(target)
  const between = { isPooler: true, url: "", cut: () => {} }
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(targetPort), hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", () => {}).on("close", () => sockets.delete(socket))
    }
    client.on("data", (chunk) => upstream.write(chunk)).on("close", () => upstream.destroy())
    upstream.on("close", () => client.destroy())
    upstream.on("data", (chunk: Buffer) => {
      const at = chunk.indexOf(keyData)
      if (between.isPooler && at >= 0) chunk.writeInt32BE(madeUp, at + keyData.length)
      client.write(chunk)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`
  between.url = url.href
  between.cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  closing.push(async () => {
    between.cut()
    await new Promise((resolve) => server.close(resolve))
  })
  return between
}

const start = async (url: string, preparedStatements?: boolean) => {
  const scope = Scope.makeUnsafe()
  closing.push(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const configured = await Effect.runPromise(connection(url))
  const layer = Postgres.layer({
    connection: configured,
    schema: "tidemark",
    poolSize: 1,
    ...(preparedStatements === undefined ? {} : { preparedStatements })
  })
  const context = await Effect.runPromise(Scope.provide(Layer.build(layer), scope))
  const postgres = await Effect.runPromise(Effect.provide(Postgres, context))
  const ask = (text = "select 1 as one") => Effect.runPromise(postgres.query(text, [], { name: "asked" }))
  const prepared = async () =>
    (await Effect.runPromise(postgres.query("select from pg_prepared_statements where name = 'asked'"))).count
  return { postgres, ask, prepared }
}

test("statements are prepared on a connection to the server itself, as soon as it has said who it is", async () => {
  const { postgres, ask, prepared } = await start(db.url)
  await ask()
  expect(await prepared()).toBe(0)
  await ask()
  expect(await prepared()).toBe(1)
  expect(postgres.isPooled()).toBe(false)
})

test("nothing is prepared where whoever answers is not the one who signed us in", async () => {
  const { url } = await startBetween(db.url)
  const { postgres, ask, prepared } = await start(url)
  for (let time = 0; time < 3; time += 1) await ask()
  expect(await prepared()).toBe(0)
  expect(postgres.isPooled()).toBe(true)
})

test("a pooler that comes in between later, or goes, is found out with the next connection", async () => {
  const between = await startBetween(db.url)
  between.isPooler = false
  const { postgres, ask, prepared } = await start(between.url)
  await ask()
  for (const [isPooler, count] of [
    [true, 0],
    [false, 1]
  ] as const) {
    between.isPooler = isPooler
    const before = postgres.changes()
    between.cut()
    await until(() => postgres.changes() > before, { what: "the connection to be known as lost" })
    for (let time = 0; time < 3; time += 1) await ask()
    expect(await prepared()).toBe(count)
    expect(postgres.isPooled()).toBe(isPooler)
  }
})

test("whoever says so has it his way, and hears of the pooler all the same", async () => {
  const { url } = await startBetween(db.url)
  const insisting = await start(url, true)
  await insisting.ask()
  expect(await insisting.prepared()).toBe(1)
  expect(insisting.postgres.isPooled()).toBe(true)
  const refusing = await start(db.url, false)
  for (let time = 0; time < 3; time += 1) await refusing.ask()
  expect(await refusing.prepared()).toBe(0)
})

test("a statement whose session was exchanged unnoticed is sent again without its name, and none has one from then on", async () => {
  const { postgres, ask, prepared } = await start(db.url, undefined)
  for (let time = 0; time < 3; time += 1) await ask()
  await Effect.runPromise(postgres.query("deallocate all"))
  expect((await ask()).rows).toEqual([{ one: 1 }])
  await ask()
  expect(await prepared()).toBe(0)
})

test("in a transaction that cannot be mended it fails, and the next one goes through", async () => {
  const { postgres, ask } = await start(db.url)
  for (let time = 0; time < 3; time += 1) await ask()
  const within = () =>
    Effect.runPromise(
      postgres.transaction((connected) => connected.query("select 1 as one", [], { name: "asked" }))
    )
  await Effect.runPromise(postgres.query("deallocate all"))
  await expect(within()).rejects.toMatchObject({ reason: { _tag: "Rejected", sqlState: "26000" } })
  expect((await within()).rows).toEqual([{ one: 1 }])
})

test.each([
  ["no more connections allowed (max_client_conn)", "Busy"],
  ["unsupported startup parameter: options", "Unreachable"],
  ["server login has been failing, try again later (server_login_retry)", "Unreachable"]
])("what a pooler says before it lets anybody in, %j, is %s: nothing was sent", (message, tag) => {
  const error = Object.assign(new Error(message), { code: "08P01" })
  expect(postgresError(error, false).reason._tag).toBe(tag)
  expect(postgresError(error, true).reason._tag).toBe("ConnectionLost")
})
