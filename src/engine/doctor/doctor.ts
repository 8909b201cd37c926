import { Effect } from "effect"
import { InvalidArgument, logError } from "../../log/error.ts"
import { type Advice, judge, type Judgement } from "./advice.ts"
import { connections } from "./connections.ts"
import { durability } from "./durability.ts"
import { factsOf } from "./facts.ts"
import { theLog } from "./log.ts"
import { memory } from "./memory.ts"
import { planning } from "./planning.ts"
import { writing } from "./writing.ts"

/** All that is advised, by what it is about. */
export const ADVICE = {
  "the log": theLog,
  durability,
  connections,
  writing,
  memory,
  planning
} as const satisfies Readonly<Record<string, ReadonlyArray<Advice>>>

export interface DoctorOptions {
  /** Of the server's machine, in bytes. Default: this machine's, where the server runs on it; else what depends on it is judged without. */
  readonly memoryBytes?: number
}

export interface Diagnosis extends Judgement {
  /** Of the server. */
  readonly version: string
  /** How much was judged. */
  readonly judged: number
  /** What memory was judged by, in bytes; undefined where it is not known. */
  readonly memoryBytes: number | undefined
}

const LEAST_MEMORY = 64 * 1024 ** 2

/** Compares the server and the log with what is advised. */
export const doctorIn = Effect.fnUntraced(function* ({ memoryBytes }: DoctorOptions = {}) {
  if (memoryBytes !== undefined && !(Number.isSafeInteger(memoryBytes) && memoryBytes >= LEAST_MEMORY)) {
    const problem = `memoryBytes is ${memoryBytes}: give a whole number of bytes, ${LEAST_MEMORY} and more`
    return yield* logError(new InvalidArgument({ problem }))
  }
  const facts = yield* factsOf(memoryBytes)
  const advice = Object.values(ADVICE).flat()
  const judgement = judge(advice, facts)
  const diagnosis: Diagnosis = {
    ...judgement,
    version: facts.server.serverVersion,
    judged: advice.length - judgement.unseen.length,
    memoryBytes: facts.memoryBytes
  }
  return diagnosis
})
