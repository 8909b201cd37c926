import { availableParallelism } from "node:os"
import type { Bench } from "./bench.ts"
import { select } from "./catalogue.ts"
import { temporaryServer } from "./embedded-server.ts"
import type { Figure } from "./figure.ts"
import { options, USAGE } from "./options.ts"
import { serverAt } from "./server.ts"
import { json, table } from "./table.ts"

const FAILED = 1
const INTERRUPTED = 130

const note = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const run = async (): Promise<void> => {
  const chosen = options(process.argv.slice(2))
  if (chosen.help) {
    process.stdout.write(USAGE)
    return
  }
  const selection = select(chosen.only)
  const server = chosen.url === undefined ? await temporaryServer() : serverAt(chosen.url)
  const bench: Bench = { ...chosen, server, note }
  const figures: Array<Figure> = []
  const interrupted = (): void => void server.close().finally(() => process.exit(INTERRUPTED))
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted)
  try {
    note(`${await server.describe()}, Node ${process.versions.node}, ${availableParallelism()} cores`)
    for (const measure of selection.measures) {
      note(`${measure.figures.join(", ")}: a commit takes ${(await server.commit()).toFixed(2)} ms now`)
      for (const figure of await measure.run(bench)) {
        if (!selection.figures.has(figure.name)) continue
        figures.push(figure)
        if (chosen.json) process.stdout.write(`${json(figure)}\n`)
      }
    }
  } finally {
    await server.close()
  }
  if (!chosen.json) process.stdout.write(`\n${table(figures)}\n`)
}

run().catch((error: unknown) => {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  // What a failed measure left open must not keep the process alive.
  process.exit(FAILED)
})
