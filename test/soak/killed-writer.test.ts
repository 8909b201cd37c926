import { test } from "vitest"
import { killedWriters } from "../faults/killed-writer.ts"
import { engines } from "../faults/scene.ts"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"

const db = testDatabase()
const open = engines()

test(
  "a hundred killed writers lose no acknowledged emit and double none",
  { timeout: 1_800_000 },
  async () => {
    const engine = await open({ database: db.url })
    const seed = seedFor("killed writers, soak")
    await killedWriters({ seed, database: db.url, engine, acknowledged: 40_000, kills: 100 })
  }
)
