import { type Paint, paintFor } from "./palette.ts"

/** Erases from the cursor to the end of the screen: what was drawn below, however the terminal has wrapped it since. */
const ERASE_BELOW = "\r\x1b[J"
const HIDE_CURSOR = "\x1b[?25l"
const SHOW_CURSOR = "\x1b[?25h"
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : "")

/** How often the terminal is drawn at most, in ms. */
const FRAME_MS = 40

/** A terminal of unknown size. */
const DEFAULT_WIDTH = 80

/** More lines than this in one frame scroll by unread: only the last ones are drawn, and their number is told. */
const MAX_LINES_PER_FRAME = 200

/** Makes the rows at the bottom for a width. */
export type Footer = (width: number) => ReadonlyArray<string>

/**
 * Lines that scroll, over a footer that is redrawn in place.
 *
 * The cursor rests at the beginning of the footer: whatever a resize does to it, everything from there on is ours to
 * erase. Where the stream is no terminal there are only lines.
 */
export class Screen {
  readonly paint: Paint
  /** Whether there is a footer, and a width to keep to. */
  readonly isLive: boolean
  private readonly stream: NodeJS.WriteStream
  private footer: Footer = () => []
  private lines: Array<string> = []
  private skipped = 0
  private frame: NodeJS.Timeout | undefined
  private isOpen = true

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
    this.paint = paintFor(stream)
    this.isLive = stream.isTTY && process.env["TERM"] !== "dumb"
    if (!this.isLive) return
    stream.write(HIDE_CURSOR)
    stream.on("resize", this.draw)
    process.on("exit", this.restore)
    process.on("SIGTSTP", this.suspend)
    process.on("SIGCONT", this.resume)
  }

  /** In columns; the last one stays free, because some terminals wrap when it is written. Undefined where nothing is cut. */
  get width(): number | undefined {
    return this.isLive ? (this.stream.columns || DEFAULT_WIDTH) - 1 : undefined
  }

  /** Prints a line above the footer; resolves when the reader of a pipe keeps up. */
  print(line: string): Promise<void> {
    if (!this.isLive) return this.write(`${line}\n`)
    if (this.lines.length === MAX_LINES_PER_FRAME) {
      this.lines.shift()
      this.skipped += 1
    }
    this.lines.push(line)
    this.frame ??= setTimeout(this.draw, FRAME_MS)
    return Promise.resolve()
  }

  /** Replaces the footer; where there is none, nothing happens. */
  show(footer: Footer): void {
    this.footer = footer
    if (this.isLive) this.frame ??= setTimeout(this.draw, FRAME_MS)
  }

  /** Draws what is left, takes the footer away and gives the terminal back. */
  close(): void {
    if (!this.isOpen) return
    this.footer = () => []
    if (this.isLive) this.draw()
    this.restore()
    this.isOpen = false
    this.stream.off("resize", this.draw)
    process.off("exit", this.restore)
    process.off("SIGTSTP", this.suspend)
    process.off("SIGCONT", this.resume)
  }

  private readonly draw = (): void => {
    clearTimeout(this.frame)
    this.frame = undefined
    if (!this.isOpen) return
    const skipped = this.skipped === 0 ? [] : [this.paint(` … ${this.skipped} more lines`, "dim")]
    const above = [...skipped, ...this.lines].map((line) => `${line}\n`).join("")
    this.lines = []
    this.skipped = 0
    const rows = this.footer(this.width ?? DEFAULT_WIDTH)
    this.stream.write(`${ERASE_BELOW}${above}${rows.join("\n")}${up(rows.length - 1)}\r`)
  }

  private write(text: string): Promise<void> {
    if (this.stream.write(text)) return Promise.resolve()
    return new Promise((resolve) => this.stream.once("drain", resolve))
  }

  private readonly restore = (): void => {
    if (this.isOpen && this.isLive) this.stream.write(ERASE_BELOW + SHOW_CURSOR)
  }

  private readonly suspend = (): void => {
    this.restore()
    process.kill(process.pid, "SIGSTOP")
  }

  private readonly resume = (): void => {
    this.stream.write(HIDE_CURSOR)
    this.draw()
  }
}
