import { test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"
import { killedWriters } from "./killed-writer.ts"
import { engines } from "./scene.ts"

const db = testDatabase()
const open = engines()

test("writers killed at random moments lose no acknowledged emit of a thousand and double none", async () => {
  const engine = await open({ database: db.url })
  const seed = seedFor("killed writers")
  await killedWriters({ seed, database: db.url, engine, acknowledged: 1000, kills: 8 })
})
