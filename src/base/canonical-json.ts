import { isJsonArray, type Json, type JsonObject } from "./json-value.ts"

/** What a text may hold between quotes without a second look: no control, quote, backslash or surrogate. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

const stringText = (text: string): string => {
  if (PLAIN.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new TypeError("half a surrogate pair has no canonical form")
  return JSON.stringify(text)
}

const numberText = (number: number): string => {
  if (!Number.isFinite(number))
    throw new TypeError(`${number} has no canonical form, as JSON has no number for it`)
  return String(number)
}

const arrayText = (items: ReadonlyArray<Json>): string => {
  let text = "["
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ","
    text += canonicalJson(items[index]!)
  }
  return `${text}]`
}

/** Up to so many keys are sorted faster by insertion than by `sort`, which costs about as much as writing them. */
const FEW = 12

/** Sorts by UTF-16 code units, which is how JavaScript compares strings. */
const sorted = (keys: Array<string>): Array<string> => {
  if (keys.length > FEW) return keys.toSorted()
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next]!
    let to = next
    for (; to > 0 && keys[to - 1]! > key; to--) keys[to] = keys[to - 1]!
    keys[to] = key
  }
  return keys
}

const objectText = (object: JsonObject): string => {
  let text = ""
  for (const key of sorted(Object.keys(object))) {
    text += `${text === "" ? "{" : ","}${stringText(key)}:${canonicalJson(object[key]!)}`
  }
  return text === "" ? "{}" : `${text}}`
}

/**
 * The canonical text of a JSON value by RFC 8785: equal values have the same text, whatever the order of their keys.
 *
 * Expects what `JSON.parse` gives: plain objects and arrays, without undefined, a cycle, or `toJSON`, which is not called. Throws
 * a TypeError for numbers that are not finite, strings with half a surrogate pair, and values of a type that JSON has not.
 */
export const canonicalJson = (value: Json): string => {
  switch (typeof value) {
    case "string":
      return stringText(value)
    case "number":
      return numberText(value)
    case "boolean":
      return value ? "true" : "false"
    case "object":
      if (value === null) return "null"
      return isJsonArray(value) ? arrayText(value) : objectText(value)
    default:
      throw new TypeError(`a value of type ${typeof value} has no canonical form`)
  }
}
