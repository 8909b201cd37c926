import { open } from "../../dist/src/index.js"

// A process that keeps the read models of a log, until its parent ends it or lets go of it.
const engine = await open({ database: process.argv[2] ?? "", logger: false })
process.send?.("open")
process.once("disconnect", () => void engine.close())
