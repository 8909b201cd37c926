import { open } from "../../src/index.ts"
import { heard, input, say } from "../support/worker.ts"

// A process that keeps the read models of a log, and says whether it is the one that folds. Its clock may be wrong.

const { database, skewMs, leaseMs } = input<{
  readonly database: string
  readonly skewMs: number
  readonly leaseMs: number
}>()

const now = Date.now.bind(Date)
Date.now = () => now() + skewMs

const engine = await open({ database, leaseMs, logger: false })

heard(async (asked) => {
  if (asked === "close") {
    await engine.close()
    process.exit()
  }
  const { projections } = await engine.status()
  say({ asked, folds: projections.every(({ follows }) => !follows) })
})
say({ opened: true })
