import nodeCrypto, { webcrypto } from "node:crypto"
import os from "node:os"

/** A fold did what no fold may. */
export class PoisonedFold extends Error {
  override readonly name = "PoisonedFold"
}

const impure = (what: string): PoisonedFold =>
  new PoisonedFold(
    `it called ${what}, and folds are pure, so that folding the log again gives the same rows: take times from event.recordedAt or event.data, ids from event.position or event.id`
  )

/** Replaces a property, and gives back how to put the old one in its place again. */
const replace = (owner: object, key: string, by: Readonly<PropertyDescriptor>): (() => void) => {
  const before = Object.getOwnPropertyDescriptor(owner, key)
  Object.defineProperty(owner, key, {
    ...by,
    configurable: true,
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
  [performance, "mark", "performance.mark()"],
  [process, "uptime", "process.uptime()"],
  [process, "cpuUsage", "process.cpuUsage()"],
  [os, "uptime", "os.uptime()"],
  [webcrypto, "getRandomValues", "crypto.getRandomValues()"],
  [webcrypto, "randomUUID", "crypto.randomUUID()"],
  [nodeCrypto, "randomUUID", "crypto.randomUUID()"],
  [nodeCrypto, "randomBytes", "crypto.randomBytes()"],
  [nodeCrypto, "randomInt", "crypto.randomInt()"],
  [nodeCrypto, "randomFillSync", "crypto.randomFillSync()"],
  [globalThis, "fetch", "fetch()"]
]

type Refuse = (what: string) => () => never

/** What a formatter of times is asked with: nothing, or undefined, is now. */
type Time = Date | number | undefined

const { prototype } = Intl.DateTimeFormat
const formatOf = Object.getOwnPropertyDescriptor(prototype, "format")!.get as () => (time: Time) => string
const { formatToParts } = prototype

/** A formatter takes the clock's time where it is given none; other times it may format. */
const givenTimesOnly = (refuse: Refuse): ReadonlyArray<() => void> => [
  replace(prototype, "format", {
    get(this: Intl.DateTimeFormat) {
      const format = formatOf.call(this)
      return (time: Time) => (time === undefined ? refuse("Intl.DateTimeFormat.format()")() : format(time))
    }
  }),
  replace(prototype, "formatToParts", {
    writable: true,
    value(this: Intl.DateTimeFormat, time: Time) {
      return time === undefined
        ? refuse("Intl.DateTimeFormat.formatToParts()")()
        : formatToParts.call(this, time)
    }
  })
]

/**
 * Runs a synchronous fold with the clock and chance out of its reach: they throw PoisonedFold, also where the fold
 * swallows that. Nothing else of the process can run meanwhile, so nobody else meets the replacements. A help against
 * mistakes, no cage: it does not see what a fold has kept a reference to, such as `import { randomUUID } from "node:crypto"`.
 */
export const purely = <A>(fold: () => A): A => {
  const caught: Array<PoisonedFold> = []
  const refuse: Refuse = (what) => (): never => {
    const error = impure(what)
    caught.push(error)
    throw error
  }
  const noClock = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      args.length === 0 ? refuse("new Date()")() : (Reflect.construct(target, args, newTarget) as object),
    apply: refuse("Date()")
  })
  const restore = FORBIDDEN.map(([owner, key, what]) =>
    replace(owner, key, { value: refuse(what), writable: true })
  )
  const noHrtime = Object.assign(refuse("process.hrtime()"), { bigint: refuse("process.hrtime.bigint()") })
  restore.push(replace(process, "hrtime", { value: noHrtime, writable: true }))
  restore.push(replace(globalThis, "Date", { value: noClock, writable: true }))
  restore.push(...givenTimesOnly(refuse))
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
