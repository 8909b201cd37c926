/** How deep a JSON value may nest. PostgreSQL's own limit is its stack, and lies far beyond. */
export const MAX_DEPTH = 500

/** Why a value is not JSON that PostgreSQL can hold, and where in the value. */
export interface NotJson {
  readonly path: string
  readonly problem: string
}

const UNSAFE_STRING = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const stringProblem = (text: string): string | undefined =>
  UNSAFE_STRING.test(text)
    ? "a string with U+0000 or half a surrogate pair, which PostgreSQL cannot store"
    : undefined

/** What plain objects and instances of classes say that they are; boxed values, errors and collections say other. */
const PLAIN = "[object Object]"

class Walker {
  /** Some value said by itself what it is as JSON, and may say something else when it is asked again. */
  converted = false
  private readonly above = new Set<object>()
  private readonly keys: Array<string | number> = []

  /** The first problem found in a value, depth first. */
  problem(value: unknown, inArray: boolean): string | undefined {
    switch (typeof value) {
      case "string":
        return stringProblem(value)
      case "boolean":
        return undefined
      case "number":
        return Number.isFinite(value) ? undefined : `${value}, which JSON has no number for`
      case "undefined":
        return inArray ? "undefined in an array, which JSON would turn into null" : undefined
      case "object":
        return value === null ? undefined : this.objectProblem(value)
      default:
        return `a ${typeof value}, which JSON cannot hold`
    }
  }

  path(): string {
    return this.keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("")
  }

  private objectProblem(value: object): string | undefined {
    if (!("toJSON" in value) || typeof value.toJSON !== "function") return this.contentProblem(value)
    this.converted = true
    const json: unknown = value.toJSON(String(this.keys.at(-1) ?? ""))
    return typeof json === "object" && json !== null ? this.contentProblem(json) : this.problem(json, false)
  }

  private contentProblem(value: object): string | undefined {
    if (this.above.has(value)) return "a cycle"
    if (this.above.size === MAX_DEPTH) return `nesting deeper than ${MAX_DEPTH}`
    this.above.add(value)
    const problem = Array.isArray(value) ? this.itemsProblem(value) : this.entriesProblem(value)
    this.above.delete(value)
    return problem
  }

  private itemsProblem(items: ReadonlyArray<unknown>): string | undefined {
    for (let index = 0; index < items.length; index++) {
      this.keys.push(index)
      const problem = this.problem(items[index], true)
      if (problem !== undefined) return problem
      this.keys.pop()
    }
    return undefined
  }

  private entriesProblem(value: object): string | undefined {
    const kind = Object.prototype.toString.call(value)
    if (kind !== PLAIN || Symbol.iterator in value) {
      return `of a kind (${kind.slice("[object ".length, -1)}) that JSON would not keep`
    }
    for (const key of Object.keys(value)) {
      this.keys.push(key)
      if (key === "__proto__") return "a key named __proto__, which readers in JavaScript cannot trust"
      const problem = stringProblem(key) ?? this.problem((value as Record<string, unknown>)[key], false)
      if (problem !== undefined) return problem
      this.keys.pop()
    }
    return undefined
  }
}

/**
 * The JSON text of a value, or why PostgreSQL could not give the same value back.
 *
 * Refused are: strings with U+0000 or lone surrogates, numbers that are not finite, functions, symbols and bigints,
 * cycles, keys named `__proto__`, nesting deeper than {@link MAX_DEPTH}, undefined in arrays, and what JSON would empty:
 * Map and Set, errors, bytes, boxed values. Undefined properties are left out and `toJSON` is honoured, as JSON.stringify does.
 */
export const encodeJson = (value: unknown): { readonly text: string } | NotJson => {
  if (value === undefined) return { path: "", problem: "undefined, which JSON cannot hold" }
  const walker = new Walker()
  const problem = walker.problem(value, true)
  if (problem !== undefined) return { path: walker.path(), problem }
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) return { path: "", problem: "undefined as JSON" }
  return walker.converted ? checkedText(text) : { text }
}

/** What is sent must be what was checked, so a text that values had a say in is checked itself. */
const checkedText = (text: string): { readonly text: string } | NotJson => {
  const walker = new Walker()
  const problem = walker.problem(JSON.parse(text), true)
  return problem === undefined ? { text } : { path: walker.path(), problem }
}
