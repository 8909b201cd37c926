import { contenderNamed } from "./contenders.ts"
import { perform, type Answer, type Request } from "./jobs.ts"

/** Which contender this process is, and where. */
export interface Seat {
  readonly name: string
  readonly database: string
  readonly install: boolean
  readonly connections: number
}

const tell = (answer: Answer): void => {
  process.send?.(answer)
}

const { name, database, install, connections } = JSON.parse(process.argv[2] ?? "{}") as Seat
const contender = await contenderNamed(name)
if (install) await contender.install(database)
const store = await contender.open(database, connections)

process.on("message", (request: Request) => {
  perform(store, request).then(
    (found) => tell({ found }),
    (error: unknown) => tell({ error: `${name}: ${error instanceof Error ? error.stack : String(error)}` })
  )
})
process.once("disconnect", () => void store.close())
tell({ found: "open" })
