import { setTimeout as pause } from "node:timers/promises"
import type { Agent } from "./agent.ts"
import { Machine } from "./machine.ts"

/** How often the machine is measured, in ms, unless configured. */
const MEASURE_MS = 1_000

/** Measures this machine now and then, and tells the log. */
export class Host {
  private readonly agent: Agent
  private readonly machine: Machine
  private readonly onTrouble: (error: unknown) => void
  private readonly everyMs: number
  private readonly ending = new AbortController()
  private running: Promise<void> = Promise.resolve()

  /** `onTrouble` hears why a measurement could not be told; the next one is tried all the same. */
  constructor(agent: Agent, directory: string, onTrouble: (error: unknown) => void, everyMs = MEASURE_MS) {
    this.everyMs = everyMs
    this.agent = agent
    this.machine = new Machine(directory)
    this.onTrouble = onTrouble
  }

  get agentId(): string {
    return this.agent.id
  }

  async begin(): Promise<void> {
    await this.agent.begin({ measures_every_ms: this.everyMs })
    this.running = this.measureOn()
  }

  async end(): Promise<void> {
    this.ending.abort()
    await this.running
    this.machine[Symbol.dispose]()
    await this.agent.end()
  }

  private async measureOn(): Promise<void> {
    const { signal } = this.ending
    let next = performance.now()
    while (!signal.aborted) {
      next = Math.max(next + this.everyMs, performance.now())
      await pause(next - performance.now(), undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await this.measure()
    }
  }

  private async measure(): Promise<void> {
    try {
      await this.agent.measured(await this.machine.look())
    } catch (error) {
      this.agent.errors += 1
      this.onTrouble(error)
    }
  }
}
