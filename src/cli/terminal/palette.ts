const RESET = "\x1b[0m"

/** SGR codes; the sixteen colours that every theme defines, so that light and dark ones are both legible. */
const CODES = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36"
} as const

export type Style = keyof typeof CODES

/** Colours text, or leaves it as it is where colours are not wanted. */
export type Paint = (text: string, ...styles: ReadonlyArray<Style>) => string

export const paint: Paint = (text, ...styles) =>
  text === "" || styles.length === 0
    ? text
    : `\x1b[${styles.map((style) => CODES[style]).join(";")}m${text}${RESET}`

export const noPaint: Paint = (text) => text

/** Colours where the stream is a terminal that has them and NO_COLOR does not forbid it. */
export const paintFor = (stream: NodeJS.WriteStream): Paint =>
  stream.isTTY && stream.hasColors() ? paint : noPaint

/** Red would look like an error, and green like a success: they are kept for what is one. */
const HUES: ReadonlyArray<Style> = ["cyan", "blue", "magenta", "yellow"]
const HASH_FACTOR = 31

/** The same name always has the same colour. */
export const hueOf = (name: string): Style => {
  let hash = 0
  for (const character of name) hash = (hash * HASH_FACTOR + character.codePointAt(0)!) % 65_521
  return HUES[hash % HUES.length]!
}
