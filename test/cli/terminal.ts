import { EventEmitter } from "node:events"

/** A terminal as far as the screen uses one: it wraps nothing, and knows the few codes that are sent to it. */
export class Terminal extends EventEmitter {
  readonly isTTY = true
  columns: number
  isCursorShown = true
  /** All that was written. */
  written = ""
  private readonly rows: Array<string> = [""]
  private row = 0
  private column = 0

  constructor(columns: number) {
    super()
    this.columns = columns
  }

  /** What is on it, without empty rows at the end. */
  get text(): ReadonlyArray<string> {
    const rows = this.rows.map((row) => row.trimEnd())
    while (rows.at(-1) === "") rows.pop()
    return rows
  }

  hasColors(): boolean {
    return false
  }

  write(text: string): boolean {
    this.written += text
    // eslint-disable-next-line no-control-regex
    for (const [part] of text.matchAll(/\x1b\[\??\d*[A-Za-z]|[\r\n]|[^\x1b\r\n]+/g)) this.take(part)
    return true
  }

  private take(part: string): void {
    if (part === "\r") this.column = 0
    else if (part === "\n") this.newLine()
    else if (part === "\x1b[J") this.eraseBelow()
    else if (part === "\x1b[2K") this.rows[this.row] = ""
    else if (part === "\x1b[?25l") this.isCursorShown = false
    else if (part === "\x1b[?25h") this.isCursorShown = true
    else if (part.startsWith("\x1b[") && part.endsWith("A")) this.row -= Number.parseInt(part.slice(2), 10)
    else if (part.startsWith("\x1b")) throw new Error(`an unexpected code: ${JSON.stringify(part)}`)
    else this.put(part)
  }

  private put(text: string): void {
    const row = (this.rows[this.row] ?? "").padEnd(this.column)
    this.rows[this.row] = row.slice(0, this.column) + text + row.slice(this.column + text.length)
    this.column += text.length
  }

  private newLine(): void {
    this.row += 1
    this.column = 0
    this.rows[this.row] ??= ""
  }

  private eraseBelow(): void {
    this.rows[this.row] = (this.rows[this.row] ?? "").slice(0, this.column)
    this.rows.length = this.row + 1
  }
}
