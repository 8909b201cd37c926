import { statfs } from "node:fs/promises"
import { availableParallelism, cpus, freemem, loadavg, totalmem } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** One measured value. */
export interface Measure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** The metrics of this machine. */
export type Metric = "cpu" | "load" | "memory" | "disk" | "loop_delay"

type MachineMeasure = Measure & { readonly name: Metric }

/** How finely the event loop's delay is sampled, in ms. */
const LOOP_RESOLUTION_MS = 10
const P99 = 99
const NS_PER_MS = 1e6
const PERCENT = 100
/** What is measured is not more exact than a tenth. */
const rounded = (value: number): number => Math.round(value * 10) / 10

interface CpuTimes {
  readonly busy: number
  readonly total: number
}

const cpuTimes = (): CpuTimes => {
  let busy = 0
  let total = 0
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq
    total += all
    busy += all - times.idle
  }
  return { busy, total }
}

/** The machine this process runs on: each look tells how it was since the look before. */
export class Machine implements Disposable {
  private readonly delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  private readonly directory: string
  private before = cpuTimes()

  /** Watches the disk that holds `directory`. */
  constructor(directory: string) {
    this.directory = directory
    this.delay.enable()
  }

  async look(): Promise<readonly [MachineMeasure, ...ReadonlyArray<MachineMeasure>]> {
    return [
      { name: "cpu", value: this.cpu(), unit: "%" },
      { name: "load", value: rounded((loadavg()[0] ?? 0) / availableParallelism()), unit: "" },
      { name: "memory", value: rounded((1 - freemem() / totalmem()) * PERCENT), unit: "%" },
      { name: "disk", value: await this.disk(), unit: "%" },
      { name: "loop_delay", value: this.loopDelay(), unit: "ms" }
    ]
  }

  [Symbol.dispose](): void {
    this.delay.disable()
  }

  /** The share of the processors' time that was not idle. */
  private cpu(): number {
    const now = cpuTimes()
    const total = now.total - this.before.total
    const share = total <= 0 ? 0 : (now.busy - this.before.busy) / total
    this.before = now
    return rounded(Math.min(1, Math.max(0, share)) * PERCENT)
  }

  /** Full means: nothing left for those who are not root. */
  private async disk(): Promise<number> {
    const { blocks, bfree, bavail } = await statfs(this.directory)
    const used = blocks - bfree
    return used + bavail === 0 ? 0 : rounded((used / (used + bavail)) * PERCENT)
  }

  /** The p99 of how late the event loop was; sampling itself takes the resolution, which is no delay. */
  private loopDelay(): number {
    const p99 = this.delay.percentile(P99) / NS_PER_MS - LOOP_RESOLUTION_MS
    this.delay.reset()
    return rounded(Math.max(0, p99))
  }
}
