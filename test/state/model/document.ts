import { createHmac } from "node:crypto"
import { canonicalJson } from "../../../src/base/canonical-json.ts"

/** JSON that may be changed. */
export type Value = null | boolean | number | string | Array<Value> | { [key: string]: Value }

export const TIERS = ["local", "shared", "session", "persistent"] as const
export type Tier = (typeof TIERS)[number]
export type Doc = Record<Tier, { [key: string]: Value }>

export const emptyDoc = (): Doc => ({ local: {}, shared: {}, session: {}, persistent: {} })

/** Of what is read, the values. */
export const docOf = (read: object): Doc => {
  const { local, shared, session, persistent } = read as Doc
  return { local, shared, session, persistent }
}

export const copyOf = <A>(value: A): A =>
  value === undefined ? value : (JSON.parse(JSON.stringify(value)) as A)

/** Key order does not count. */
export const textOf = (value: unknown): string =>
  value === undefined ? "absent" : canonicalJson(value as never)

export const isSame = (one: unknown, other: unknown): boolean => textOf(one) === textOf(other)

export type Key = readonly [tier: Tier, key: string]

export const keysOf = (...docs: ReadonlyArray<Doc>): ReadonlyArray<Key> => {
  const keys = new Map<string, Key>()
  for (const doc of docs)
    for (const tier of TIERS)
      for (const key of Object.keys(doc[tier])) keys.set(JSON.stringify([tier, key]), [tier, key])
  return [...keys.values()]
}

export const at = (doc: Doc, [tier, key]: Key): Value | undefined =>
  Object.hasOwn(doc[tier], key) ? doc[tier][key] : undefined

/** The document with other values for some keys. */
export const withKeys = (doc: Doc, values: ReadonlyArray<readonly [Key, Value | undefined]>): Doc => {
  const after = copyOf(doc)
  for (const [[tier, key], value] of values) {
    if (value === undefined) delete after[tier][key]
    else after[tier][key] = copyOf(value)
  }
  return after
}

export const pointerOf = (parts: ReadonlyArray<string>): string =>
  parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")

/** The keys by which two documents differ, as pointers, in order. */
export const changedBetween = (before: Doc, after: Doc): ReadonlyArray<string> =>
  keysOf(before, after)
    .filter((key) => !isSame(at(before, key), at(after, key)))
    .map(pointerOf)
    .toSorted()

const isObject = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** RFC 7396, as its text has it. */
export const mergePatch = (target: Value | undefined, patch: Value): Value => {
  if (!isObject(patch)) return copyOf(patch)
  const result = isObject(target) ? copyOf(target) : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value)
  }
  return result
}

const MODULUS = 1n << 256n

/** The sum of the keyed hashes of all entries. */
export const hashOf = (doc: Doc, secret: Buffer): string => {
  const sum = keysOf(doc).reduce((total, [tier, key]) => {
    const text = canonicalJson([tier, key, doc[tier][key]!])
    return (total + BigInt(`0x${createHmac("sha256", secret).update(text).digest("hex")}`)) % MODULUS
  }, 0n)
  return sum.toString(16).padStart(64, "0")
}
