import { test } from "vitest"
import { engines } from "../faults/scene.ts"
import { terminated } from "../faults/terminated.ts"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"

const db = testDatabase()
const open = engines()

test("connections ended for minutes, hundreds of them, cost no event", { timeout: 1_800_000 }, async () => {
  await terminated({
    seed: seedFor("terminated, soak"),
    database: db.url,
    open,
    each: 150,
    kinds: ["writer", "feed", "listener", "notifier"]
  })
})
