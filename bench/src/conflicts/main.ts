import { parseArgs } from "node:util"
import { TIDEMARK } from "../contenders.ts"
import { temporaryServer } from "../embedded-server.ts"
import { serverAt } from "../server.ts"
import { engineAt } from "../tidemark.ts"
import { fleet, type FleetOptions, type Outcome, WAYS } from "./fleet.ts"
import { WORKLOADS } from "./workloads.ts"

// How often a person has to decide where agents write one state, and what is lost where nobody is asked.

const DEFAULTS = { writers: 8, writes: 300, stale: 8, seed: 1 } satisfies FleetOptions

const USAGE = `npm run conflicts -- [options]

  --writes N    writes of each fleet (default ${DEFAULTS.writes})
  --writers N   how many write (default ${DEFAULTS.writers})
  --stale N     what they read is so many versions old at most (default ${DEFAULTS.stale})
  --seed N      of all random choices (default ${DEFAULTS.seed})
  --url URL     a server to use, whose user may create databases; default: an embedded server of its own
  --json        one JSON object per line
  --help        this text
`

const HEAD = ["workload", "written", "writes", "stale", "lost", "merged", "conflicts", "resolved", "of stale"]

const PERCENT = 100

/** The share that no person had to decide. */
const resolved = (conflicts: number, all: number): string =>
  all === 0 ? "–" : `${((PERCENT * (all - conflicts)) / all).toFixed(1)} %`

const rowOf = ({ workload, way, writes, stale, lost, merged, conflicts }: Outcome): ReadonlyArray<string> => [
  workload,
  way,
  ...[writes, stale, lost, merged, conflicts].map(String),
  ...(way === "without base" ? ["–", "–"] : [resolved(conflicts, writes), resolved(conflicts, stale)])
]

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const line = (row: ReadonlyArray<string>): string => `| ${row.join(" | ")} |`
  return [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n")
}

const { values } = parseArgs({
  options: {
    writes: { type: "string" },
    writers: { type: "string" },
    stale: { type: "string" },
    seed: { type: "string" },
    url: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

const numberOf = (name: keyof FleetOptions): number => Number(values[name] ?? DEFAULTS[name])

const run = async (): Promise<void> => {
  const options = {
    writers: numberOf("writers"),
    writes: numberOf("writes"),
    stale: numberOf("stale"),
    seed: numberOf("seed")
  }
  const server = values.url === undefined ? await temporaryServer() : serverAt(values.url)
  try {
    const engine = await engineAt(await server.createDatabase(TIDEMARK))
    const outcomes: Array<Outcome> = []
    try {
      for (const workload of WORKLOADS)
        for (const way of WAYS) outcomes.push(await fleet(engine, workload, way, options))
    } finally {
      await engine.close()
    }
    const lines = values.json
      ? outcomes.map((outcome) => JSON.stringify({ ...outcome, options }))
      : [table(outcomes.map(rowOf))]
    process.stdout.write(`${lines.join("\n")}\n`)
  } finally {
    await server.close()
  }
}

if (values.help) process.stdout.write(USAGE)
else await run()
