import { createHash } from "node:crypto"
import { Schema } from "effect"
import { idOf, MAX_STREAM_LENGTH } from "../../src/log/name.ts"

/** The category of the streams of global state, one stream per key. */
export const SYSTEM_STATE = "system_state"

/** In characters, as PostgreSQL counts them. */
export const MAX_KEY_LENGTH = 255

const MAX_ID_LENGTH = MAX_STREAM_LENGTH - SYSTEM_STATE.length - 1

/** How much of a key that is too long for a stream's name is still read there. */
const READABLE_LENGTH = 100

/** Stands in no key that is written out, since there a % goes before two hexadecimal digits. */
const DIGEST_MARK = "%~"

/** All but visible ASCII, and the mark of what is written otherwise. */
const UNWRITABLE = /[^\x21-\x7e]|%/gu

const isKey = (text: string): boolean =>
  text !== "" && !text.includes("\0") && text.isWellFormed() && Array.from(text).length <= MAX_KEY_LENGTH

/** A key of global state. Two spellings of one word in Unicode are two keys. */
export const Key = Schema.String.check(
  Schema.makeFilter(
    (text: string) =>
      isKey(text) || "give a key of 1 to 255 characters, without U+0000 or half a surrogate pair",
    { identifier: "Key" }
  )
)

/**
 * The stream of a key, another one for each. A stream's name is visible ASCII: other characters, and %, are written as in a URL; of a key that
 * is then too long, the name has the beginning, and the digest of all of it.
 */
export const stateStream = (key: string): string => {
  const written = key.replaceAll(UNWRITABLE, encodeURIComponent)
  const digest = () => createHash("sha256").update(key).digest("hex")
  const id =
    written.length <= MAX_ID_LENGTH ? written : written.slice(0, READABLE_LENGTH) + DIGEST_MARK + digest()
  return `${SYSTEM_STATE}-${id}`
}

const decoded = (written: string): string | undefined => {
  try {
    return decodeURIComponent(written)
  } catch {
    return undefined
  }
}

/** The key whose stream it is, as its name or else the event in it says; undefined where neither does, or says another stream's. */
export const keyOf = (stream: string, said: unknown): string | undefined =>
  [decoded(idOf(stream)), said].find(
    (key): key is string => typeof key === "string" && isKey(key) && stateStream(key) === stream
  )
