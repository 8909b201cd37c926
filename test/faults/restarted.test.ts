import { afterAll, beforeAll, test } from "vitest"
import type { Cluster } from "../support/cluster.ts"
import { seedFor } from "../support/random.ts"
import { privateServer } from "../support/server.ts"
import { restarted } from "./restarted.ts"
import { engines } from "./scene.ts"

let server: Cluster
beforeAll(async () => {
  server = await privateServer()
})
afterAll(() => server.remove())
const open = engines()

test("emits and subscriptions go on by themselves after the server crashed, without loss and without doubles", async () => {
  await restarted({ seed: seedFor("restarted"), server, open, crashes: 3, longestPeace: 300 })
})
