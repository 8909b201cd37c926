import { parseArgs } from "node:util"

export interface Options {
  readonly json: boolean
  readonly help: boolean
  readonly only: ReadonlyArray<string>
  readonly url: string | undefined
  readonly rounds: number
  readonly turn: number
  readonly bigLog: number
  readonly fleetLog: number
}

const DEFAULT_ROUNDS = 5
const DEFAULT_TURN_SECONDS = 3
const DEFAULT_BIG_LOG = 5_000_000
const DEFAULT_FLEET_LOG = 200_000

export const USAGE = `npm run bench -- [options]

  --only a,b        only these figures: a whole name (emit.c64) or a family (latency)
  --json            one JSON object per line on stdout; use npm run --silent bench -- --json
  --url URL         a server to use, whose user may create databases; default: an embedded server of its own
  --rounds N        turns of each contender (default ${DEFAULT_ROUNDS}); a figure is their median
  --seconds N       length of a turn under load (default ${DEFAULT_TURN_SECONDS})
  --big-log N       events in the log of emit.c64.5M (default ${DEFAULT_BIG_LOG})
  --fleet-log N     events in the log of rebuild.all (default ${DEFAULT_FLEET_LOG})
  --profile DIR     write a CPU profile of each Node process of the run to DIR (open it in a browser's dev tools)
  --help            this text

ratio says how many times better than the baseline, the best peer of the same run (the bare limit for *.vs_bare).
`

const positive = (name: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} needs a number above 0, not "${text}".`)
  return value
}

export const options = (args: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      only: { type: "string" },
      url: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "big-log": { type: "string" },
      "fleet-log": { type: "string" },
      profile: { type: "string" }
    }
  })
  return {
    json: values.json,
    help: values.help,
    only: values.only === undefined ? [] : values.only.split(",").filter((name) => name !== ""),
    url: values.url,
    rounds: Math.round(positive("rounds", values.rounds, DEFAULT_ROUNDS)),
    turn: positive("seconds", values.seconds, DEFAULT_TURN_SECONDS) * 1000,
    bigLog: Math.round(positive("big-log", values["big-log"], DEFAULT_BIG_LOG)),
    fleetLog: Math.round(positive("fleet-log", values["fleet-log"], DEFAULT_FLEET_LOG))
  }
}
