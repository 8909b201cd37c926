import { createHash } from "node:crypto"

/** One of several shares into which the streams of the log are dealt; an event falls to the share of its stream. */
export interface Share {
  /** From 0. */
  readonly partition: number
  readonly of: number
}

/** How many streams' hashes are remembered at most. */
const REMEMBERED_STREAMS = 10_000

const hashes = new Map<string, number>()

const hashOf = (stream: string): number => {
  let hash = hashes.get(stream)
  if (hash === undefined) {
    if (hashes.size === REMEMBERED_STREAMS) hashes.clear()
    hash = createHash("sha256").update(stream).digest().readUInt32BE(0)
    hashes.set(stream, hash)
  }
  return hash
}

/** The partition of a stream, of so many; the same as schema/functions/partition_of.sql. */
export const partitionOf = (stream: string, of: number): number => (of === 1 ? 0 : hashOf(stream) % of)
