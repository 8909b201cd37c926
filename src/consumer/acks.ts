import { setImmediate as aTurn } from "node:timers/promises"
import type { Cursor } from "./cursor.ts"
import type { Settings } from "./options.ts"

/** How often at least the cursor moves while a batch takes long, in ms. */
const ACK_MS = 1_000

/** How many held events are gathered, that are handled or wait, before they are written down. */
const MOST_UNWRITTEN = 500

/** How long handlers that never wait may keep the process to themselves, in ms: it has its signs of life to send. */
const TURN_MS = 50

/** When a batch that is under way is written down. */
export class Acks {
  private readonly cursor: Cursor
  private readonly settings: Settings
  private turnAt = performance.now()

  constructor(cursor: Cursor, settings: Settings) {
    this.cursor = cursor
    this.settings = settings
  }

  /** After each call of a handler. */
  async handled(): Promise<void> {
    const { cursor, settings } = this
    const now = performance.now()
    const isDue = settings.ackEvery || now - cursor.keptAt >= ACK_MS || cursor.unwritten >= MOST_UNWRITTEN
    if (isDue) await cursor.keep()
    if (now - this.turnAt < TURN_MS) return
    await aTurn()
    this.turnAt = performance.now()
  }
}
