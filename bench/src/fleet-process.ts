import { emitFleet, type Pace } from "./fleet/emit.ts"
import type { Answer } from "./jobs.ts"
import { engineAt } from "./tidemark.ts"

const tell = (answer: Answer): void => {
  process.send?.(answer)
}

// A process that emits what a fleet does, and folds nothing.
const engine = await engineAt(process.argv[2] ?? "", "follow")

process.on("message", (pace: Pace) => {
  emitFleet(engine, pace).then(
    (found) => tell({ found }),
    (error: unknown) => tell({ error: String(error) })
  )
})
process.once("disconnect", () => void engine.close())
tell({ found: "open" })
