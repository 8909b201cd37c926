import { isJsonArray, isJsonObject, type Json, type JsonObject } from "./json-value.ts"

/** How long a text is, in UTF-16 code units: exactly so long, or at least. */
interface Length {
  readonly atLeast: number
  readonly exact: boolean
}

const scalarLength = (value: Json): number => JSON.stringify(value).length

/** Brackets, and the commas between items. */
const punctuationLength = (items: number): number => Math.max(2, items + 1)

/**
 * How long values are as JSON text, as far as it matters: that a value is longer than some limit is known without walking through all of
 * it. What is found out is kept, so the values must stay as they are meanwhile.
 */
export class JsonLength {
  private readonly known = new Map<Json, Length>()

  /** The length of what JSON.stringify gives. */
  of(value: Json): number {
    return this.measure(value, Infinity, Infinity).atLeast
  }

  /** Whether the text of a value is longer than a limit, which is where a walk through the value ends, or soon after. */
  isOver(value: Json, limit: number): boolean {
    // Who asks of a container asks of the one around it next, with a limit that is a bit higher: going on for a while spares a second walk.
    return this.measure(value, limit, 2 * limit).atLeast > limit
  }

  /** Walks until the length is above `goal`; does not walk at all where it is known to be above `enough`. */
  private measure(value: Json, enough: number, goal: number): Length {
    if (typeof value === "string" && value.length > goal) return { atLeast: value.length, exact: false }
    if (!isJsonArray(value) && !isJsonObject(value)) return { atLeast: scalarLength(value), exact: true }
    const known = this.known.get(value)
    if (known !== undefined && (known.exact || known.atLeast > enough)) return known
    const found = this.walk(value, enough, goal)
    this.known.set(value, found)
    return found
  }

  private walk(value: ReadonlyArray<Json> | JsonObject, enough: number, goal: number): Length {
    const keys = isJsonArray(value) ? undefined : Object.keys(value)
    const items = isJsonArray(value) ? value : Object.values(value)
    let atLeast = punctuationLength(items.length)
    for (let nth = 0; nth < items.length; nth++) {
      if (atLeast > goal) return { atLeast, exact: false }
      if (keys !== undefined) atLeast += scalarLength(keys[nth]!) + 1
      const item = this.measure(items[nth]!, enough - atLeast, goal - atLeast)
      atLeast += item.atLeast
      if (!item.exact) return { atLeast, exact: false }
    }
    return { atLeast, exact: true }
  }
}
