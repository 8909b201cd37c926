import nodeCrypto, { webcrypto } from "node:crypto"

/** A fold did what no fold may. */
export class PoisonedFold extends Error {
  override readonly name = "PoisonedFold"
}

const impure = (what: string): PoisonedFold =>
  new PoisonedFold(
    `it called ${what}, and folds are pure, so that folding the log again gives the same rows: take times from event.recordedAt or event.data, ids from event.position or event.id`
  )

/** Replaces a property, and gives back how to put the old one in its place again. */
const replace = (owner: object, key: string, value: unknown): (() => void) => {
  const before = Object.getOwnPropertyDescriptor(owner, key)
  Object.defineProperty(owner, key, {
    value,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? false
  })
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key)
    else Object.defineProperty(owner, key, before)
  }
}

const FORBIDDEN: ReadonlyArray<readonly [owner: object, key: string, what: string]> = [
  [Date, "now", "Date.now()"],
  [Math, "random", "Math.random()"],
  [performance, "now", "performance.now()"],
  [process, "hrtime", "process.hrtime()"],
  [webcrypto, "getRandomValues", "crypto.getRandomValues()"],
  [webcrypto, "randomUUID", "crypto.randomUUID()"],
  [nodeCrypto, "randomUUID", "crypto.randomUUID()"],
  [nodeCrypto, "randomBytes", "crypto.randomBytes()"],
  [nodeCrypto, "randomInt", "crypto.randomInt()"],
  [globalThis, "fetch", "fetch()"]
]

/**
 * Runs a synchronous fold with the clock and chance out of its reach: they throw PoisonedFold, also where the fold
 * swallows that. Nothing else of the process can run meanwhile, so nobody else meets the replacements.
 */
export const purely = <A>(fold: () => A): A => {
  const caught: Array<PoisonedFold> = []
  const refuse = (what: string) => (): never => {
    const error = impure(what)
    caught.push(error)
    throw error
  }
  const noClock = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      args.length === 0 ? refuse("new Date()")() : (Reflect.construct(target, args, newTarget) as object),
    apply: refuse("Date()")
  })
  const restore = FORBIDDEN.map(([owner, key, what]) => replace(owner, key, refuse(what)))
  restore.push(replace(globalThis, "Date", noClock))
  try {
    const folded = fold()
    if (caught[0] !== undefined) throw caught[0]
    return folded
  } catch (thrown) {
    throw caught[0] ?? thrown
  } finally {
    for (const undo of restore.toReversed()) undo()
  }
}
