import { Result } from "effect"
import { encodeJson } from "../base/json.ts"
import { InvalidArgument } from "../log/error.ts"

/** How large a value of the cache may be as JSON, in bytes: 1 MiB. */
export const MAX_VALUE_BYTES = 1_048_576

/** How long an entry counts, in ms, unless whoever sets it says: an hour. */
export const DEFAULT_TTL_MS = 3_600_000

/** Ten years. */
export const MAX_TTL_MS = 315_360_000_000

/** Where entries go, and are looked for, that name no other namespace. */
export const DEFAULT_NAMESPACE = "default"

/** How long names may be, in characters: an index has room for a namespace and a key together, whatever their script. */
const MAX_KEY_LENGTH = 512
const MAX_NAMESPACE_LENGTH = 100
const MAX_TAG_LENGTH = 255

/** How many tags an entry has at most, and how many one call names. */
const MAX_TAGS = 64

/** How many keys one call names. */
const MAX_KEYS = 10_000

/** Which part of the cache is meant: programs that share one give each its own. */
export interface CacheOptions {
  /** 1 to 100 characters. Default: `default`. */
  readonly namespace?: string
}

export interface CacheSetOptions extends CacheOptions {
  /** How long it counts, in whole ms, from 1 to ten years, by the database's clock. Default: 3 600 000, or what the engine was opened with. */
  readonly ttlMs?: number
  /** By which it may be invalidated with others: 64 at most, of 1 to 255 characters. */
  readonly tags?: ReadonlyArray<string>
}

/** Checked, or why not. */
type Checked<A> = Result.Result<A, InvalidArgument>

const refused = (problem: string): Result.Result<never, InvalidArgument> =>
  Result.fail(new InvalidArgument({ problem }))

/** A text of one to so many characters that PostgreSQL can store. */
const named = (what: string, text: unknown, most: number): Checked<string> => {
  if (typeof text !== "string" || text === "" || text.length > most)
    return refused(
      `${what} is no text of 1 to ${most} characters: give one, such as the hash of a longer text`
    )
  return text.includes("\0") || !text.isWellFormed()
    ? refused(`${what} has U+0000 or half a surrogate pair: leave them out`)
    : Result.succeed(text)
}

export const keyOf = (key: string): Checked<string> => named("The key of the cache", key, MAX_KEY_LENGTH)

export const namespaceOf = ({ namespace = DEFAULT_NAMESPACE }: CacheOptions): Checked<string> =>
  named("The namespace of the cache", namespace, MAX_NAMESPACE_LENGTH)

/** One or several, each once. */
const allOf = (
  what: string,
  given: string | ReadonlyArray<string>,
  most: number,
  check: (one: string) => Checked<string>
): Checked<ReadonlyArray<string>> => {
  const list = [...new Set(typeof given === "string" ? [given] : given)]
  if (list.length > most) return refused(`There are ${list.length} ${what}: give ${most} at most at a time`)
  return Result.all(list.map(check))
}

export const keysOf = (keys: string | ReadonlyArray<string>): Checked<ReadonlyArray<string>> =>
  allOf("keys of the cache", keys, MAX_KEYS, keyOf)

export const tagsOf = (tags: string | ReadonlyArray<string>): Checked<ReadonlyArray<string>> =>
  allOf("tags of the cache", tags, MAX_TAGS, (tag) => named("A tag of the cache", tag, MAX_TAG_LENGTH))

export const ttlOf = (ttlMs: number): Checked<number> =>
  Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_MS
    ? Result.succeed(ttlMs)
    : refused(`ttlMs is ${String(ttlMs)}: give whole ms from 1 to ${MAX_TTL_MS}`)

/** A value as JSON text. */
export const valueOf = (key: string, value: unknown): Checked<string> => {
  const encoded = encodeJson(value)
  const subject = `The value for the key ${JSON.stringify(key)} of the cache`
  if ("problem" in encoded)
    return refused(`${subject} holds ${encoded.problem}, at value${encoded.path}: give JSON`)
  const bytes = Buffer.byteLength(encoded.text)
  return bytes > MAX_VALUE_BYTES
    ? refused(
        `${subject} has ${bytes} bytes as JSON: give one of ${MAX_VALUE_BYTES} at most, or keep it elsewhere and its address here`
      )
    : Result.succeed(encoded.text)
}
