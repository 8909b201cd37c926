import type { Holder } from "./page.ts"

const PREPARED = "-1/"

const backendOf = (holder: string): string => holder.slice(0, holder.indexOf("/"))

const isPrepared = (holder: string): boolean => holder.startsWith(PREPARED)

/**
 * What a reader waits for at a gap: the appends that were under way when it saw the highest position.
 *
 * Positions are drawn under the log's shared lock. Whoever drew one below `upTo` held the lock before `upTo` was drawn,
 * so once none of those holders is left, nothing can appear at or below it any more: everything up to `upTo` is settled,
 * whatever gaps it has. A transaction that was prepared meanwhile goes on holding under the name -1/xid, so when the ordinary
 * holders are gone, those prepared by then are waited for too. A backend between the two phases of a commit is listed as b/0.
 */
export class Barrier {
  readonly upTo: number
  private awaited: ReadonlyArray<string>
  private prepared: boolean

  /** `holders` must have been looked up in a statement after the one that saw `upTo`. */
  constructor(upTo: number, holders: ReadonlyArray<Holder>) {
    this.upTo = upTo
    this.awaited = holders.map((one) => one.holder)
    this.prepared = false
  }

  /** Whether everything up to `upTo` is settled, by the holders as they are now. */
  isPassed(now: ReadonlyArray<Holder>): boolean {
    if (this.isHeld(now)) return false
    if (this.prepared) return true
    this.prepared = true
    this.awaited = now.map((one) => one.holder).filter(isPrepared)
    return this.awaited.length === 0
  }

  /** The backends that are waited for; a prepared transaction has none. */
  heldBy(now: ReadonlyArray<Holder>): ReadonlyArray<Holder> {
    return now.filter((one) => this.awaits(one.holder))
  }

  private isHeld(now: ReadonlyArray<Holder>): boolean {
    return now.some((one) => this.awaits(one.holder))
  }

  private awaits(holder: string): boolean {
    if (this.awaited.includes(holder)) return true
    if (isPrepared(holder) || !holder.endsWith("/0")) return false
    const backend = backendOf(holder)
    return this.awaited.some((awaited) => backendOf(awaited) === backend)
  }
}
