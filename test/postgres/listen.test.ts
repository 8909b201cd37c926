import { Effect, Exit, Scope } from "effect"
import { afterEach, describe, expect, test } from "vitest"
import { connection } from "../../src/postgres/connection.ts"
import { listen } from "../../src/postgres/listen.ts"
import { hearing, logBook, named } from "../faults/scene.ts"
import { open } from "../../src/index.ts"
import { testDatabase } from "../support/database.ts"
import { collector, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"
import { noHome } from "./connecting.ts"

const db = testDatabase()
const scopes: Array<Scope.Closeable> = []

afterEach(async () => {
  for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
})

const endListeners = `select pg_terminate_backend(pid, 5000) from pg_stat_activity
  where datname = current_database() and query ilike 'listen%'`

/** What a listener tells: that it listens, and why it does not. */
const listeningTo = async (url: string) => {
  const listening = collector<true>()
  const lost = collector<string>()
  const scope = Scope.makeUnsafe()
  scopes.push(scope)
  const config = await Effect.runPromise(connection(url, { HOME: noHome }))
  const channel = "tidemark_heard"
  const heard = {
    connection: config,
    channel,
    onPayload: () => undefined,
    onListening: () => listening.push(true),
    onLost: lost.push
  }
  await Effect.runPromise(Scope.provide(listen(heard), scope))
  return { listening, lost }
}

describe("a listener", () => {
  test("that the server ends tells what the server said, and listens again", async () => {
    const { listening, lost } = await listeningTo(db.url)
    await listening.reaches(1)
    await db.query(endListeners)
    await listening.reaches(2)
    expect(lost.items).toEqual([
      "the connection that listens was lost: terminating connection due to administrator command (SQLSTATE 57P01)"
    ])
  })

  test("whose connection is cut tells what the network said", async () => {
    await using proxy = await startProxy(db.url)
    const { listening, lost } = await listeningTo(proxy.url)
    await listening.reaches(1)
    proxy.cut()
    await listening.reaches(2)
    expect(lost.items[0]).toMatch(/^the connection that listens was lost: .*ECONNRESET$/)
  })

  test("that finds no server tells so", async () => {
    await using proxy = await startProxy(db.url)
    proxy.refuse()
    const { lost } = await listeningTo(proxy.url)
    await lost.reaches(1)
    expect(lost.items[0]).toMatch(/^LISTEN could not be made: .*ECONNREFUSED/)
  })

  test("that the server turns away tells what the server said", async () => {
    const { lost } = await listeningTo(named(db.url, "nobody", { user: "nobody_of_that_name" }))
    await lost.reaches(1)
    expect(lost.items[0]).toMatch(/^LISTEN could not be made: .*nobody_of_that_name.* \(SQLSTATE 28/)
  })
})

test("an engine whose LISTEN was lost says why in one sentence, in its log", async () => {
  const { logger, warnings } = logBook()
  await using engine = await open({ database: db.url, logger })
  await hearing(engine)
  await db.query(endListeners)
  await until(() => warnings(/NOTIFY/).length > 0)
  expect(warnings(/NOTIFY/).map(({ msg }) => msg)).toEqual([
    "NOTIFY does not arrive: the connection that listens was lost: terminating connection due to administrator command (SQLSTATE 57P01). Readers look every 250 ms instead; nothing is lost."
  ])
})
