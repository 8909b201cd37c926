import type { Answer } from "./jobs.ts"
import { Ages, PATHS } from "./states/watched.ts"
import { engineAt } from "./tidemark.ts"

const tell = (answer: Answer): void => {
  process.send?.(answer)
}

// A process that watches one agent's state, and tells the ages of so many changes as it is asked for.
const [database = "", agent = ""] = process.argv.slice(2)
const engine = await engineAt(database)
const ages = new Ages()
await engine.state(agent).watch(PATHS, ages.hear)

process.on("message", (due: number) => {
  ages.taken(due).then(
    (found) => tell({ found }),
    (error: unknown) => tell({ error: String(error) })
  )
})
process.once("disconnect", () => void engine.close())
tell({ found: "watching" })
