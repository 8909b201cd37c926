import { createHash, randomFillSync } from "node:crypto"

const BYTES = 16
const POOL_BYTES = BYTES * 256
const SEQUENCE_LIMIT = 0x1000
const VARIANT = 0x80
const TEXT = Buffer.from("00000000-0000-7000-8000-000000000000")
const HYPHEN = TEXT[8]!
const DIGITS = Buffer.from("0123456789abcdef")
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES
let lastMs = 0
let sequence = 0

/** A tick that never goes back: 4096 ids fit in a millisecond, more borrow from the next one. */
const tick = (): void => {
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    sequence = 0
  } else if (++sequence === SEQUENCE_LIMIT) {
    lastMs += 1
    sequence = 0
  }
}

/** A UUIDv7 (RFC 9562): sorts by creation within this process, so that index inserts stay on the right-most page. */
export const uuid = (): string => {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  tick()
  const at = used
  used += BYTES
  pool.writeUIntBE(lastMs, at, 6)
  pool[at + 6] = 0x70 | (sequence >> 8)
  pool[at + 7] = sequence & 0xff
  pool[at + 8] = VARIANT | (pool[at + 8]! & 0x3f)
  return textOf(pool, at)
}

/** The UUID that a text has, always the same one: version 8 of RFC 9562, of its SHA-256. */
export const uuidOf = (text: string): string => {
  const bytes = createHash("sha256").update(text).digest()
  bytes[6] = 0x80 | (bytes[6]! & 0x0f)
  bytes[8] = VARIANT | (bytes[8]! & 0x3f)
  return textOf(bytes, 0)
}

const textOf = (bytes: Buffer, at: number): string => {
  let digit = 0
  for (let byte = at; byte < at + BYTES; byte++) {
    if (TEXT[digit] === HYPHEN) digit += 1
    TEXT[digit++] = DIGITS[bytes[byte]! >> 4]!
    TEXT[digit++] = DIGITS[bytes[byte]! & 0xf]!
  }
  return TEXT.toString("latin1")
}

/** Whether a text is a UUID in the form that PostgreSQL prints: lower case, with hyphens. */
export const isUuid = (text: string): boolean => UUID.test(text)
