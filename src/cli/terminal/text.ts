/** Invisible by itself: marks, joiners, variation selectors, directions. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u

/** Shown as pictures, two columns wide. */
const PICTURE = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}/u

/** Blocks whose characters take two columns: Hangul, CJK, kana, full-width forms, and the planes of ideographs. */
const WIDE: ReadonlyArray<readonly [first: number, last: number]> = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd]
]

const ASCII = /^[\x20-\x7e]*$/
const ELLIPSIS = "…"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const widthOfGrapheme = (grapheme: string): number => {
  if (ZERO_WIDTH.test(grapheme)) return 0
  if (PICTURE.test(grapheme)) return 2
  const code = grapheme.codePointAt(0)!
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** How many columns of a terminal a text without control codes takes. */
export const widthOf = (text: string): number => {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment)
  return width
}

/** What a control character, or one that turns the direction of writing, would do to the terminal. */
const HARMFUL = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu

/** Events may hold anything; what would steer the terminal is shown as a space. */
export const printable = (text: string): string => text.replaceAll(HARMFUL, " ")

/** A value as one line of JSON; what would steer the terminal, and is no less JSON for it, is written as its escape. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    HARMFUL,
    (harmful) => `\\u${harmful.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** Cuts a text at a width, with an ellipsis where something is missing. */
export const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  if (width < 1) return ""
  let kept = ""
  let left = width - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOfGrapheme(segment)
    if (left < 0) break
    kept += segment
  }
  return kept + ELLIPSIS
}

/** Cuts the middle out: names tell apart at both ends. */
export const cutMiddle = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  const head = Math.ceil((width - 1) / 2)
  const tail = width - 1 - head
  // The names of streams and types are ASCII.
  return head < 1 ? cut(text, width) : text.slice(0, head) + ELLIPSIS + text.slice(text.length - tail)
}

export const padEnd = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - widthOf(text)))

export const padStart = (text: string, width: number): string =>
  " ".repeat(Math.max(0, width - widthOf(text))) + text
