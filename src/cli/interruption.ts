/** Each asks for a clean end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Signals that come this close together, in ms, are one: npm passes on the Ctrl-C that the terminal has sent to its child
 * already.
 */
const SAME_KEYPRESS_MS = 300

/** Waits for the wish that a command end, and tells a second, impatient one from the first. */
export class Interruption implements Disposable {
  /** Resolves at the first signal, or at `request`. */
  readonly requested: Promise<void>
  private readonly impatient: () => void
  private resolve: () => void = () => undefined
  private firstAt: number | undefined

  /** `impatient` is called at a second signal: nobody wants to wait for the clean end. */
  constructor(impatient: () => void) {
    this.impatient = impatient
    this.requested = new Promise((resolve) => {
      this.resolve = resolve
    })
    for (const signal of SIGNALS) process.on(signal, this.onSignal)
  }

  get isRequested(): boolean {
    return this.firstAt !== undefined
  }

  /** Asks for a clean end, as a first signal does. */
  request(): void {
    this.firstAt ??= performance.now()
    this.resolve()
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal)
  }

  private readonly onSignal = (): void => {
    if (this.firstAt === undefined) this.request()
    else if (performance.now() - this.firstAt > SAME_KEYPRESS_MS) this.impatient()
  }
}
