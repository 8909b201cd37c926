import { describe, expect, it } from "vitest"
import { DEFAULT_LEASE_MS } from "../../../src/fleet/fleet.ts"
import { until } from "../../support/eventually.ts"
import { startWorker } from "../../support/process.ts"
import { Counted, counters, scene } from "../scene.ts"

const { db, start } = scene()

/** A snapshot of a process that stands still must be gone within this, in ms … */
const GONE_MS = 6_000

/** … and one whose process works at something else for so long must not, in ms. */
const LONG_MS = DEFAULT_LEASE_MS + 500

const definition = counters({ name: "killed", events: [Counted] })

const filled = async () => {
  const one = await start()
  await one.project(definition)
  let last = 0
  for (let at = 0; at < 20; at++) last = await one.emit(`killed-${at % 7}`, Counted.make({ by: at }))
  await one.reaches("killed", last)
  return one
}

/** The backends that wait for a lock on a table. */
const waitingFor = async (table: string): Promise<ReadonlyArray<number>> => {
  const rows = await db.query<{ pid: number }>(
    "select pid from pg_locks where relation = to_regclass($1) and not granted",
    [table]
  )
  return rows.map(({ pid }) => pid)
}

/** A session that lets nobody look into a table until it is told to. */
const holding = async (table: string) => {
  const session = await db.session()
  await session.query("begin")
  await session.query(`lock table ${table} in access exclusive mode`)
  return { letGo: () => session.query("commit") }
}

describe("the snapshot of a verification", () => {
  it(
    "is ended by the server within seconds where its process stands still",
    async () => {
      await filled()
      const { letGo } = await holding("tidemark.killed__1")
      const worker = startWorker("rebuilder", { input: { database: db.url, phase: "never" } })
      const [snapshot] = await until(
        async () => {
          const found = await waitingFor("tidemark.killed__1")
          return found.length > 0 && found
        },
        { within: 20_000, what: "a verification that looks at the live table" }
      )
      process.kill(worker.pid, "SIGSTOP")
      try {
        await letGo()
        const standsAt = performance.now()
        const isThere = "select from pg_stat_activity where pid = $1"
        await until(async () => (await db.query(isThere, [snapshot])).length === 0, {
          within: GONE_MS,
          what: "the snapshot to be gone"
        })
        expect(performance.now() - standsAt).toBeGreaterThan(500)
      } finally {
        await worker.kill("SIGKILL")
      }
    },
    GONE_MS + 40_000
  )

  it(
    "stays as long as its process works at something else",
    async () => {
      const one = await filled()
      const session = await db.session()
      await session.query("begin")
      let locking: Promise<unknown> | undefined
      const lock = async (): Promise<number> => {
        await session.query("lock table tidemark.killed__2 in access exclusive mode")
        await until(async () => (await waitingFor("tidemark.killed__2")).length > 0)
        await new Promise((resolve) => setTimeout(resolve, LONG_MS))
        const waiting = await waitingFor("tidemark.killed__2")
        await session.query("commit")
        return waiting.length
      }
      let tries = 0
      const report = await one.rebuild(definition, {
        verify: true,
        onProgress: ({ phase }) => {
          if (phase === "catch up") locking ??= lock()
          if (phase === "verify") tries += 1
        }
      })
      expect(await locking).toBe(1)
      expect(tries).toBe(1)
      expect(report.verified).toMatchObject({ tables: [{ different: 0 }] })
    },
    LONG_MS + 40_000
  )
})
