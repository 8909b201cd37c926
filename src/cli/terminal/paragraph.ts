import { widthOf } from "./text.ts"

/** A text in lines of a width at most, broken at spaces; a word that is wider has a line for itself. */
export const paragraph = (text: string, width = Number.POSITIVE_INFINITY): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (line === "" || widthOf(longer) <= width) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}
