import { Effect } from "effect"

/** Wakes the one who waits. A ring that nobody waits for is kept for the next wait. */
export class Bell {
  private rung = false
  private answer: () => void = () => undefined

  ring(): void {
    this.rung = true
    this.answer()
  }

  /** Until it rings, or so many ms have passed. */
  wait(ms?: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      let timer: NodeJS.Timeout | undefined
      const leave = (): void => {
        clearTimeout(timer)
        this.answer = () => undefined
      }
      this.answer = () => {
        leave()
        this.rung = false
        resume(Effect.void)
      }
      if (this.rung) this.answer()
      else if (ms !== undefined) timer = setTimeout(() => this.answer(), ms)
      return Effect.sync(leave)
    })
  }
}
