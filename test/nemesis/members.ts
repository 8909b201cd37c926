import { setTimeout as pause } from "node:timers/promises"
import { startWorker, type Worker } from "../support/process.ts"
import type { Asked } from "../workers/member.ts"
import type { Random } from "../support/random.ts"
import { now, type Said } from "./judge.ts"

/** A machine that has much else to do. */
const OPENS = { within: 60_000 }
const ANSWERS = { within: 60_000 }

/** Who rebuilds folds all that was emitted so far, beside all that goes on. */
const REBUILDS = { within: 300_000 }

export interface MembersOptions {
  readonly database: string
  readonly size: number
  readonly callers: number
  readonly streams: number
  readonly leaseMs: number
  readonly random: Random
}

/** The processes of a fleet, and everything that any of them ever said. */
export class Members implements AsyncDisposable {
  readonly size: number
  private readonly options: MembersOptions
  private readonly living: Array<Worker<Said>> = []
  private readonly gone: Array<Worker<Said>> = []
  private readonly noted: Array<Said> = []
  private asked = 0

  constructor(options: MembersOptions) {
    this.options = options
    this.size = options.size
  }

  /** Everything that was said, in the order in which each said it. */
  get said(): ReadonlyArray<Said> {
    return [...this.gone, ...this.living].flatMap((worker) => worker.said).concat(this.noted)
  }

  async startAll(): Promise<void> {
    await Promise.all(Array.from({ length: this.size }, (_, at) => this.start(at)))
  }

  async start(at: number): Promise<void> {
    const { database, callers, streams, leaseMs, random } = this.options
    const input = { database, callers, streams, leaseMs, seed: random.between(1, 2 ** 30) }
    const worker = startWorker<Said>("member", { input })
    this.living[at] = worker
    await worker.saysThat((said) => "opened" in said, OPENS)
  }

  async pause(at: number, ms: number): Promise<number> {
    const { pid } = this.living[at]!
    process.kill(pid, "SIGSTOP")
    try {
      await pause(ms)
    } finally {
      this.noted.push({ resumed: { pid, at: now() } })
      process.kill(pid, "SIGCONT")
    }
    return pid
  }

  async kill(at: number): Promise<number> {
    const worker = this.living[at]!
    await worker.kill()
    this.gone.push(worker)
    return worker.pid
  }

  /** Asks one to do something, and waits until it has, or could not; what became of it. */
  async ask(at: number, asked: Asked): Promise<string> {
    const worker = this.living[at]!
    this.asked += 1
    const answer = this.asked
    worker.send({ answer, asked })
    const isAnswer = (one: Said): boolean => "answer" in one && one.answer === answer
    const what = `process ${worker.pid} to answer ${JSON.stringify(asked)}`
    const bound = asked.verb === "rebuild" ? REBUILDS : ANSWERS
    const said = await worker.saysThat(isAnswer, { ...bound, what })
    return "failed" in said && said.failed !== undefined ? `failed: ${said.failed}` : "done"
  }

  async stopEmitting(): Promise<void> {
    await Promise.all(this.living.map((_, at) => this.ask(at, { verb: "stop emitting" })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.living.map((worker) => worker.kill()))
  }
}
