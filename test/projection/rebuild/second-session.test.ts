import { describe, expect, it } from "vitest"
import { open } from "../../../src/index.ts"
import { RebuildLost } from "../../../src/projection/rebuild/error.ts"
import { type Proxy, startProxy } from "../../support/proxy.ts"
import { Counted, counters, type Process, scene } from "../scene.ts"

const { db, start } = scene()

/** The server does not answer for longer than a second session is waited for, in ms. */
const STALL_MS = 6_500

const definition = counters({ name: "paired", events: [Counted] })

const fill = async (one: Process): Promise<void> => {
  await one.project(definition)
  await one.reaches("paired", await one.emit("paired-1", Counted.make({ by: 1 }), Counted.make({ by: 2 })))
}

/** The query by which a second session is asked for, as it goes over the wire. */
const ASKED = /Q\0{3}.select\0/

/** Rebuilds, and compares; the answer to who asks for a second session is lost, and then something else happens. */
const rebuilt = async (proxy: Proxy, then: () => Promise<void>) => {
  const one = await start({ url: proxy.url })
  await fill(one)
  let lost: Promise<void> | undefined
  const report = await one.rebuild(definition, {
    verify: true,
    onProgress: ({ phase }) => {
      if (phase === "verify") lost ??= proxy.loseReply(ASKED, "silence").then(then)
    }
  })
  await lost
  await one.close()
  return report
}

const compared = { to: { generation: 2 }, verified: { tables: [{ rows: 1, different: 0 }] } }

describe("a rebuild that takes a second session to compare", () => {
  it("goes on where the server does not answer for a while", async () => {
    await using proxy = await startProxy(db.url)
    const report = await rebuilt(proxy, async () => {
      proxy.blackHole()
      await new Promise((resolve) => setTimeout(resolve, STALL_MS))
      await proxy.heal()
      proxy.cut()
    })
    expect(report).toMatchObject(compared)
  })

  it("takes another where the connection that was asked is dead", async () => {
    await using proxy = await startProxy(db.url)
    expect(await rebuilt(proxy, async () => undefined)).toMatchObject(compared)
  })

  it("is told that there is none where the engine lends a single one", async () => {
    await fill(await start())
    const engine = await open({ database: db.url, readModels: "follow", logger: false, poolSize: 1 })
    try {
      const verifying = engine.rebuild(definition, { verify: true })
      await expect(verifying).rejects.toBeInstanceOf(RebuildLost)
      await expect(verifying).rejects.toThrow(/comparing takes two sessions.*poolSize/)
    } finally {
      await engine.close()
    }
  })
})
