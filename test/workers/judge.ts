import { open } from "../../src/index.ts"
import { heard, input, say } from "../support/worker.ts"

// A process that raises and clears alerts.

const { database } = input<{ readonly database: string }>()

const engine = await open({ database, alertCheckMs: 10, logger: false })

heard(async () => {
  await engine.close()
  process.exit()
})
say({ opened: true })
