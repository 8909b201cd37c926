import type { Request } from "../log/request.ts"

/** The highest position that this engine has appended, by type of event. */
export class OwnWrites {
  private readonly highest = new Map<string, number>()
  private readonly currentEpoch: () => number
  private epoch: number

  constructor(currentEpoch: () => number) {
    this.currentEpoch = currentEpoch
    this.epoch = currentEpoch()
  }

  /** Takes what was appended; a position too high for some of it costs a reader a moment, never a write. */
  note(position: number, requests: ReadonlyArray<Request>): void {
    this.forgetOtherEpoch()
    for (const request of requests) {
      for (const part of request.parts) {
        for (const { type } of part.rows) {
          if (position > (this.highest.get(type) ?? 0)) this.highest.set(type, position)
        }
      }
    }
  }

  /** How far a reader of these types must be, to see all that was written here; 0 where nothing was. */
  of(types: Iterable<string>): number {
    this.forgetOtherEpoch()
    let position = 0
    for (const type of types) position = Math.max(position, this.highest.get(type) ?? 0)
    return position
  }

  /** What was written before a restore may be gone, and its position may be far off: nobody waits for that. */
  private forgetOtherEpoch(): void {
    const epoch = this.currentEpoch()
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.highest.clear()
  }
}
