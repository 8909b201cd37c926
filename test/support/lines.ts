import type { Readable } from "node:stream"
import { StringDecoder } from "node:string_decoder"

/** Calls back for every whole line; a last piece without its newline, as a killed process leaves it, is dropped. */
export const eachLine = (stream: Readable, callback: (line: string) => void): void => {
  const decoder = new StringDecoder("utf8")
  let rest = ""
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split("\n")
    rest = lines.pop() ?? ""
    lines.forEach((line) => callback(line))
  })
}
