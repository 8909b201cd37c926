import { MAX_TTL_MS } from "../event.ts"

/** What becomes of conflicts of synchronisations and merges that nobody decides. */
export interface ConflictPolicy {
  /** How long they stay open, in ms from when they were found; up to 100 years. */
  readonly expireAfterMs: number
  /** What decides them then. Default: nothing; they are marked as expired, and open again where other values are found. */
  readonly use?: "ours" | "theirs"
}

const FIELDS: ReadonlySet<string> = new Set(["expireAfterMs", "use"])

/** What is wrong with what was declared about conflicts, or undefined. */
export const policyProblem = (policy: unknown): string | undefined => {
  if (policy === undefined) return undefined
  if (typeof policy !== "object" || policy === null || Array.isArray(policy))
    return '"conflicts" of a definition is an object: give { expireAfterMs, use }'
  const unknown = Object.keys(policy).find((field) => !FIELDS.has(field))
  if (unknown !== undefined)
    return `"conflicts" of a definition has no ${JSON.stringify(unknown)}: give { expireAfterMs, use }`
  const { expireAfterMs, use } = policy as { readonly expireAfterMs?: unknown; readonly use?: unknown }
  if (typeof expireAfterMs !== "number" || !(expireAfterMs > 0 && expireAfterMs <= MAX_TTL_MS))
    return `expireAfterMs of "conflicts" is ${String(expireAfterMs)}: give ms above 0, up to 100 years`
  return use === undefined || use === "ours" || use === "theirs"
    ? undefined
    : `"use" of "conflicts" is ${JSON.stringify(use)}: give "ours" or "theirs", or leave it out`
}
