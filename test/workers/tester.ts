import { testPostgres } from "../../src/testing.ts"
import { heard, say } from "../support/worker.ts"

// A process of tests that never stops its PostgreSQL.

const postgres = await testPostgres()
const engine = await postgres.open()
await engine.emit("a-1", { type: "Counted" })
say({ database: postgres.database })

heard((value) => {
  if (value === "exit") process.exit()
  if (value === "throw") throw new Error("nobody catches this")
})
