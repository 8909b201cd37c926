import { test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { seedFor } from "../support/random.ts"
import type { Kind } from "./backends.ts"
import { engines } from "./scene.ts"
import { terminated } from "./terminated.ts"

const db = testDatabase()
const open = engines()

const kinds: ReadonlyArray<Kind> = ["writer", "feed", "listener", "notifier"]

test("connections that an administrator ends under load cost no event, double none and keep the order", async () => {
  await terminated({ seed: seedFor("terminated"), database: db.url, open, each: 8, kinds })
})
