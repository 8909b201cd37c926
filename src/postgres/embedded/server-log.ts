import { closeSync, openSync, readSync, statSync, truncateSync } from "node:fs"

/** The log is emptied at a visit that finds it larger than this (bytes). */
const LARGE = 4 * 1024 * 1024
const LAST_LINES = 12
const LONGEST_READ = 64 * 1024

export const logSize = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** Emptying is safe under a running server, because it appends. */
export const trimLog = (file: string): void => {
  if (logSize(file) > LARGE) truncateSync(file)
}

/** What was written after byte `from`, or the end of it where that is long. */
export const logSince = (file: string, from: number): string => {
  const size = logSize(file)
  const start = Math.max(Math.min(from, size), size - LONGEST_READ)
  if (size === start) return ""
  const descriptor = openSync(file, "r")
  try {
    const buffer = Buffer.alloc(size - start)
    const read = readSync(descriptor, buffer, 0, buffer.length, start)
    return buffer.toString("utf8", 0, read)
  } finally {
    closeSync(descriptor)
  }
}

export const lastLines = (text: string): string => text.trimEnd().split("\n").slice(-LAST_LINES).join("\n")
