import { afterAll, beforeAll, test } from "vitest"
import { restarted } from "../faults/restarted.ts"
import { engines } from "../faults/scene.ts"
import type { Cluster } from "../support/cluster.ts"
import { seedFor } from "../support/random.ts"
import { privateServer } from "../support/server.ts"

let server: Cluster
beforeAll(async () => {
  server = await privateServer()
})
afterAll(() => server.remove())
const open = engines()

test("a server that crashes again and again loses nothing", { timeout: 900_000 }, async () => {
  await restarted({ seed: seedFor("restarted, soak"), server, open, crashes: 60, longestPeace: 3_000 })
})
