import type { Fleet } from "../fleet/fleet.ts"

/** What an owner's last look at its cursor is worth by now. */
export class Sureness {
  private readonly fleet: Fleet["Service"]
  /** By performance.now(). */
  private lookedAt = Number.NEGATIVE_INFINITY

  constructor(fleet: Fleet["Service"]) {
    this.fleet = fleet
  }

  /** It begins to look whose the cursor is. */
  looks(): void {
    this.lookedAt = performance.now()
  }

  /** Nobody can have taken over since then what was its own: the others have taken its engine for alive all the time. */
  get isStillOwn(): boolean {
    const since = this.fleet.sureSince()
    return since !== undefined && since <= this.lookedAt
  }
}
