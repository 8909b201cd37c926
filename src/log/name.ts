import { InvalidName } from "./error.ts"

export const MAX_STREAM_LENGTH = 255
export const MAX_CATEGORY_LENGTH = 63
export const MAX_TYPE_LENGTH = 128
export const MAX_LABEL_LENGTH = 128

const STREAM = /^[A-Za-z][A-Za-z0-9_.:]{0,62}-[\x21-\x7e]+$/
const CATEGORY = /^[A-Za-z][A-Za-z0-9_.:]{0,62}$/
const TYPE = /^[\x21-\x7e]{1,128}$/
const LABEL = /^[^\s\p{C}](?:[^\p{C}]{0,126}[^\s\p{C}])?$/u

/** Why this is no stream name, or undefined where it is one. Names are ASCII, so that they sort and compare alike everywhere. */
export const streamProblem = (stream: string): InvalidName | undefined =>
  typeof stream === "string" && stream.length <= MAX_STREAM_LENGTH && STREAM.test(stream)
    ? undefined
    : new InvalidName({
        what: "stream",
        given: String(stream),
        rule: `a stream is <category>-<id>: a letter and up to ${MAX_CATEGORY_LENGTH - 1} of A–Z a–z 0–9 _ . :, then "-" and visible ASCII, ${MAX_STREAM_LENGTH} characters at most`
      })

export const categoryProblem = (category: string): InvalidName | undefined =>
  typeof category === "string" && CATEGORY.test(category)
    ? undefined
    : new InvalidName({
        what: "category",
        given: String(category),
        rule: `a category is a letter and up to ${MAX_CATEGORY_LENGTH - 1} of A–Z a–z 0–9 _ . :`
      })

export const typeProblem = (type: string): InvalidName | undefined =>
  typeof type === "string" && TYPE.test(type)
    ? undefined
    : new InvalidName({
        what: "type",
        given: String(type),
        rule: `a type is 1–${MAX_TYPE_LENGTH} visible ASCII characters`
      })

export const labelProblem = (label: string): InvalidName | undefined =>
  typeof label === "string" && LABEL.test(label)
    ? undefined
    : new InvalidName({
        what: "label",
        given: String(label),
        rule: `a label is 1–${MAX_LABEL_LENGTH} printable characters without a space at either end`
      })

/** The category of a stream: what precedes its first "-". */
export const categoryOf = (stream: string): string => stream.slice(0, stream.indexOf("-"))

/** The id of a stream: what follows its first "-". */
export const idOf = (stream: string): string => stream.slice(stream.indexOf("-") + 1)
