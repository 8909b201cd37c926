import type { Duplex } from "node:stream"

/** An ErrorResponse of the PostgreSQL protocol: its type, its length, then fields, each of a letter and a text that NUL ends. */
const errorResponse = "E".charCodeAt(0)
const headerBytes = 5
const messageField = "M"
const stateField = "C"

const inWords = (response: Buffer): string | undefined => {
  const fields = response.toString("utf8", headerBytes).split("\0")
  const valueOf = (letter: string): string | undefined =>
    fields.find((field) => field.startsWith(letter))?.slice(letter.length)
  const message = valueOf(messageField)
  return message === undefined ? undefined : `${message} (SQLSTATE ${valueOf(stateField)})`
}

/** What a connection says before it ends, for who has a client between himself and it that keeps the cause to itself. */
export class LastWords {
  private said: string | undefined
  private isOver = false

  of(stream: Duplex): Duplex {
    return stream
      .on("data", (chunk: Buffer) => {
        if (chunk[0] === errorResponse) this.said = inWords(chunk)
      })
      .on("error", (error: NodeJS.ErrnoException) => {
        this.said ??= error.message === "" ? error.code : error.message
      })
      .on("end", () => {
        this.isOver = true
      })
  }

  /** Undefined while it is open, and said nothing. */
  get cause(): string | undefined {
    return this.said ?? (this.isOver ? "the server closed the connection" : undefined)
  }
}
