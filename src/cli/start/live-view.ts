import { type Arrival, EventRows } from "../terminal/event-row.ts"
import type { Screen } from "../terminal/screen.ts"
import { printable } from "../terminal/text.ts"
import { rule, type Standing, statusLine } from "./status-line.ts"

/** How often the status is refreshed on a terminal, and printed where there is none, in ms. */
const REFRESH_MS = 500
const PRINT_MS = 5_000

/** Shows a running engine: what happens, line by line, and how it stands. */
export class LiveView {
  private readonly screen: Screen
  private readonly standing: () => Standing
  private readonly timer: NodeJS.Timeout
  private rows: EventRows | undefined
  private rowsWidth: number | undefined

  constructor(screen: Screen, standing: () => Standing) {
    this.screen = screen
    this.standing = standing
    this.timer = setInterval(() => this.refresh(), screen.isLive ? REFRESH_MS : PRINT_MS)
    this.refreshFooter()
  }

  event(arrival: Arrival): Promise<void> {
    return this.screen.print(this.rowsNow().row(arrival))
  }

  /** Takes the status away; what was printed stays. */
  close(): void {
    clearInterval(this.timer)
    this.screen.show(() => [])
  }

  private refresh(): void {
    if (this.screen.isLive) this.refreshFooter()
    else void this.screen.print(statusLine(this.standing(), this.screen.paint, undefined))
  }

  private refreshFooter(): void {
    const { paint } = this.screen
    this.screen.show((width) => [rule(paint, width), statusLine(this.standing(), paint, width)])
  }

  /** The columns follow the terminal's width; their names stand above them. */
  private rowsNow(): EventRows {
    const { width, paint } = this.screen
    if (this.rows === undefined || this.rowsWidth !== width) {
      this.rowsWidth = width
      this.rows = new EventRows(paint, width)
      void this.screen.print(this.rows.header())
    }
    return this.rows
  }
}

/** A remark between the events. */
export const notice = (screen: Screen, text: string): Promise<void> =>
  screen.print(
    text
      .split("\n")
      .map((line) => ` ${screen.paint("·", "cyan")} ${printable(line)}`)
      .join("\n")
  )
