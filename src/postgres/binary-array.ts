/**
 * Arrays in PostgreSQL's binary format. As text, each element is escaped here and parsed there, JSON twice over; for a
 * batch of events that is a third of the work on both sides.
 *
 * Layout: dimensions, whether there are nulls, the element's type, length and lower bound; then for each element its length
 * (-1: null) and its bytes.
 */
const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1
const DIMENSIONS = 1
const LOWER_BOUND = 1

const UUID_BYTES = 16
const INT4_BYTES = 4
const INT8_BYTES = 8
const JSONB_VERSION = 1
const JSONB_VERSION_BYTES = 1

/** PostgreSQL's own numbers of the types (pg_type.dat). */
const Oid = { int8: 20, int4: 23, text: 25, uuid: 2950, jsonb: 3802 } as const

const header = (buffer: Buffer, oid: number, length: number, hasNulls: boolean): number => {
  buffer.writeInt32BE(DIMENSIONS, 0)
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(length, 12)
  buffer.writeInt32BE(LOWER_BOUND, 16)
  return HEADER_BYTES
}

const strings = (oid: number, values: ReadonlyArray<string>, prefix: number | undefined): Buffer => {
  const prefixBytes = prefix === undefined ? 0 : JSONB_VERSION_BYTES
  let bytes = HEADER_BYTES + values.length * (LENGTH_BYTES + prefixBytes)
  for (const value of values) bytes += Buffer.byteLength(value)
  const buffer = Buffer.allocUnsafe(bytes)
  let at = header(buffer, oid, values.length, false)
  for (const value of values) {
    let start = at + LENGTH_BYTES
    if (prefix !== undefined) start = buffer.writeUInt8(prefix, start)
    const end = start + buffer.write(value, start)
    buffer.writeInt32BE(end - at - LENGTH_BYTES, at)
    at = end
  }
  return buffer
}

export const textArray = (values: ReadonlyArray<string>): Buffer => strings(Oid.text, values, undefined)

/** From JSON texts. */
export const jsonbArray = (values: ReadonlyArray<string>): Buffer => strings(Oid.jsonb, values, JSONB_VERSION)

const HYPHEN = "-".charCodeAt(0)
const ZERO = "0".charCodeAt(0)
const NINE = "9".charCodeAt(0)
const A = "a".charCodeAt(0)
const DECIMAL = 10

const digit = (code: number): number => (code <= NINE ? code - ZERO : code - A + DECIMAL)

/** From lower-case hexadecimal digits, where hyphens stand between bytes. */
const writeUuid = (buffer: Buffer, text: string, start: number): number => {
  let at = start
  for (let index = 0; index < text.length; index += 2) {
    if (text.charCodeAt(index) === HYPHEN) index += 1
    buffer[at++] = (digit(text.charCodeAt(index)) << 4) | digit(text.charCodeAt(index + 1))
  }
  return at
}

export const uuidArray = (values: ReadonlyArray<string>): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * (LENGTH_BYTES + UUID_BYTES))
  let at = header(buffer, Oid.uuid, values.length, false)
  for (const value of values) {
    at = writeUuid(buffer, value, buffer.writeInt32BE(UUID_BYTES, at))
  }
  return buffer
}

export const int4Array = (values: ReadonlyArray<number>): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * (LENGTH_BYTES + INT4_BYTES))
  let at = header(buffer, Oid.int4, values.length, false)
  for (const value of values) {
    at = buffer.writeInt32BE(INT4_BYTES, at)
    at = buffer.writeInt32BE(value, at)
  }
  return buffer
}

export const int8Array = (values: ReadonlyArray<number | null>): Buffer => {
  const nulls = values.filter((value) => value === null).length
  const buffer = Buffer.allocUnsafe(
    HEADER_BYTES + values.length * LENGTH_BYTES + (values.length - nulls) * INT8_BYTES
  )
  let at = header(buffer, Oid.int8, values.length, nulls > 0)
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(NULL_LENGTH, at)
    } else {
      at = buffer.writeInt32BE(INT8_BYTES, at)
      at = buffer.writeBigInt64BE(BigInt(value), at)
    }
  }
  return buffer
}
