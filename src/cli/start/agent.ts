import { hostname } from "node:os"
import type { Measure } from "./machine.ts"
import type { Facts, Reported, Reports } from "./reports.ts"
import type { Tally } from "./tally.ts"

/** How often an agent says that it is alive, in ms. */
const BEAT_MS = 5_000

const BYTES_PER_MIB = 1024 * 1024
const MS_PER_SECOND = 1000

const MOST_AGENTS_OF_A_HOST = 100

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process: alive, and not ours to signal.
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Agents' ids become parts of stream names, which are visible ASCII. */
const hostName = (): string => hostname().replaceAll(/[^\x21-\x7e]/g, "_") || "localhost"

/** Whether another living process of this machine runs the agent; one that was killed could not say that it stopped. */
const isTaken = async (reports: Reports, agent: string): Promise<boolean> => {
  const runner = await reports.runnerOf(agent)
  return runner !== undefined && runner !== process.pid && isAlive(runner)
}

/** The id that goes on where the last run stopped; with a number where another process is that agent now. */
export const agentIdFor = async (reports: Reports, role: string): Promise<string> => {
  const first = `${role}-${hostName()}`
  for (let number = 1; number < MOST_AGENTS_OF_A_HOST; number++) {
    const id = number === 1 ? first : `${first}-${number}`
    if (!(await isTaken(reports, id))) return id
  }
  return `${first}-${process.pid}`
}

/** An agent of this process: it registers, beats, and says when it stops. */
export class Agent {
  readonly id: string
  errors = 0
  private readonly reports: Reports
  private readonly tally: Tally
  private readonly bornAt = performance.now()
  private beating: NodeJS.Timeout | undefined
  private underWay: Promise<unknown> = Promise.resolve()

  constructor(id: string, reports: Reports, tally: Tally) {
    this.id = id
    this.reports = reports
    this.tally = tally
  }

  async begin(config: Facts): Promise<void> {
    const metadata = { pid: process.pid, hostname: hostName(), node: process.version }
    await this.told(1, (reports) => reports.register(this.id, config, metadata))
    await this.beat()
    this.beating = setInterval(() => {
      this.underWay = this.beat().catch(() => (this.errors += 1))
    }, BEAT_MS)
  }

  /** Nothing to end where it never began. */
  async end(): Promise<void> {
    if (this.beating === undefined) return
    clearInterval(this.beating)
    await this.underWay
    await this.told(1, (reports) => reports.stop(this.id))
  }

  measured(measures: readonly [Measure, ...ReadonlyArray<Measure>]): Promise<void> {
    return this.told(measures.length, (reports) => reports.measure(this.id, measures))
  }

  private beat(): Promise<void> {
    const metrics = {
      uptime_s: Math.round((performance.now() - this.bornAt) / MS_PER_SECOND),
      rss_mib: Math.round(process.memoryUsage.rss() / BYTES_PER_MIB)
    }
    return this.told(1, (reports) => reports.beat(this.id, this.errors, metrics))
  }

  /** Tells the log so many events; they are counted, and their latency is taken. */
  private async told(count: number, tell: (reports: Reports) => Promise<Reported>): Promise<void> {
    const startedAt = performance.now()
    this.tally.note(await tell(this.reports), count, startedAt)
  }
}
