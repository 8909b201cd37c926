import { open } from "../../dist/src/index.js"
import { EVENT_TYPE, step, streamOf } from "./event.ts"

// What a newcomer's first program does. Its parent holds the stopwatch.
const engine = await open({ embedded: { directory: process.argv[2] ?? "" } })
await engine.emit(streamOf(1), { type: EVENT_TYPE, data: step(1) })
process.send?.("emitted")
await engine.close()
process.disconnect()
