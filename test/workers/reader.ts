import { open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that follows a log from its start and says each event it is given, until it is killed.

const { database } = input<{ readonly database: string }>()
const engine = await open({ database, logger: false })
await engine.subscribe({ from: "start" }, ({ position, id, stream, version, data }) =>
  say({ position, id, stream, version, content: (data as { content: string }).content })
)
