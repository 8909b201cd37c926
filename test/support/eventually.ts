/** How long a wait lasts unless told otherwise, in ms: long enough for a busy machine, short enough to notice. */
export const patience = 20_000

const firstPause = 5
const longestPause = 100

export type Wait = {
  /** The longest wait, in ms (default {@link patience}). */
  readonly within?: number
  /** What is waited for, for the error message. */
  readonly what?: string
}

export class WaitedTooLong extends Error {
  override readonly name = "WaitedTooLong"
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

const shown = (value: unknown): string => {
  if (value instanceof Error) return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

/** Settles as `promise` does, or fails with {@link WaitedTooLong}. `last` adds what was seen so far to the message. */
export const inTime = async <A>(
  promise: Promise<A>,
  { within = patience, what = "a promise to settle" }: Wait = {},
  last?: () => unknown
): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seen = last === undefined ? "" : `; seen so far: ${shown(last())}`
      reject(new WaitedTooLong(`waited ${within} ms for ${what}${seen}`))
    }, within)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Asks again and again until the answer is truthy, and returns that answer. A probe that throws has not answered yet.
 * Fails with {@link WaitedTooLong} and the last answer (or error).
 */
export const until = async <A>(
  probe: () => A | Promise<A>,
  { within = patience, what = "a condition" }: Wait = {}
): Promise<Exclude<A, false | null | undefined | 0 | "">> => {
  const deadline = performance.now() + within
  let wait = firstPause
  for (;;) {
    let last: unknown
    try {
      const answer = await inTime(Promise.resolve().then(probe), {
        within: Math.max(1, deadline - performance.now()),
        what: "the probe itself"
      })
      if (answer) return answer as Exclude<A, false | null | undefined | 0 | "">
      last = answer
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) {
      const cause = last instanceof Error ? { cause: last } : undefined
      throw new WaitedTooLong(`waited ${within} ms for ${what}; the last answer was ${shown(last)}`, cause)
    }
    await pause(wait)
    wait = Math.min(wait * 2, longestPause)
  }
}

export type Deferred<A> = {
  readonly promise: Promise<A>
  readonly resolve: (value: A) => void
  readonly reject: (reason: unknown) => void
}

/** A promise that is settled from outside. Nobody awaiting its rejection is not an unhandled rejection. */
export const deferred = <A = void>(): Deferred<A> => {
  let resolve: (value: A) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<A>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

export type Collector<A> = {
  /** Everything pushed so far, oldest first. */
  readonly items: ReadonlyArray<A>
  /** Safe to hand over as a callback. */
  readonly push: (item: A) => void
  /** Nothing more will come: waits that are not met by now, pending or later, reject with `reason`. */
  readonly end: (reason: Error) => void
  /** Resolves with the first `count` items as soon as there are as many. */
  readonly reaches: (count: number, wait?: Wait) => Promise<ReadonlyArray<A>>
  /** Resolves with the first item, past or to come, that matches. */
  readonly first: (matches: (item: A) => boolean, wait?: Wait) => Promise<A>
}

/** Gathers items from callbacks and lets a test await them instead of sleeping. */
export const collector = <A>(): Collector<A> => {
  const items: Array<A> = []
  const watchers = new Set<() => void>()
  let over: Error | undefined

  const seen = async <B>(look: () => B | undefined, wait: Wait, last: () => unknown): Promise<B> => {
    const now = look()
    if (now !== undefined) return now
    if (over !== undefined) throw over
    const found = deferred<B>()
    const watcher = () => {
      const value = look()
      if (value !== undefined) found.resolve(value)
      else if (over !== undefined) found.reject(over)
    }
    watchers.add(watcher)
    try {
      return await inTime(found.promise, wait, last)
    } finally {
      watchers.delete(watcher)
    }
  }

  return {
    items,
    push: (item) => {
      items.push(item)
      for (const watcher of watchers) watcher()
    },
    end: (reason) => {
      over ??= reason
      for (const watcher of watchers) watcher()
    },
    reaches: (count, wait = {}) =>
      seen(
        () => (items.length >= count ? items.slice(0, count) : undefined),
        { what: `${count} items`, ...wait },
        () => items.length
      ),
    first: async (matches, wait = {}) => {
      const found = await seen(
        () => {
          const index = items.findIndex(matches)
          return index < 0 ? undefined : { index }
        },
        { what: "a matching item", ...wait },
        () => items.slice(-5)
      )
      return items[found.index] as A
    }
  }
}
