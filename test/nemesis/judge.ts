import { History, type Meant, type Place, type Seen } from "../support/history.ts"

/** What a process of the fleet says of what it does, as it does it: a kill right after cannot unsay it. */
export type Said =
  | { readonly sent: ReadonlyArray<Meant> }
  | { readonly acknowledged: ReadonlyArray<Place> }
  | { readonly refused: string }
  | { readonly begins: Handling }
  | { readonly ends: Handling }
  | { readonly opened: true }
  /** What became of something that was asked of the process. */
  | { readonly answer: number; readonly failed?: string }
  /** Said by whoever paused a process, right before it goes on. */
  | { readonly resumed: { readonly pid: number; readonly at: number } }

/** The machine's monotonic clock, which all processes share, in µs. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n)

/** An event in a handler. */
export interface Handling {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly partition: number
  /** The fencing number of the claim that it is handled under. */
  readonly epoch: number
  readonly pid: number
  /** By `now`. */
  readonly at: number
}

/** What came of an event that was handled, or folded, once. */
export interface Effect {
  readonly position: number
  readonly stream: string
  readonly version: number
}

/** A row of a read model that adds up the events of each stream. */
export interface Total {
  readonly stream: string
  readonly events: number
  readonly last: number
  /** Of the positions. */
  readonly sum: number
}

/** What the checker knows in the end: what clients said, and what lies in the tables. */
export interface Evidence {
  readonly said: ReadonlyArray<Said>
  /** The events that were to be handled, in order of position. */
  readonly log: ReadonlyArray<Seen>
  /** Of the transactional handler, in order: the rows that it wrote, and the events that it emitted. */
  readonly written: ReadonlyArray<Effect>
  readonly emitted: ReadonlyArray<Effect>
  /** The read models: one with a row for each event, and one with a row for each stream. */
  readonly folded: ReadonlyArray<Effect>
  readonly totals: ReadonlyArray<Total>
}

const shownPerKind = 5

const few = (found: Iterable<string>): ReadonlyArray<string> => {
  const all = [...found]
  const more = all.length - shownPerKind
  return more > 0 ? [...all.slice(0, shownPerKind), `${all[0]!.slice(0, 2)}: and ${more} more`] : all
}

const emits = (said: ReadonlyArray<Said>, log: ReadonlyArray<Seen>): ReadonlyArray<string> => {
  const history = new History()
  for (const one of said) {
    if ("sent" in one) history.sent(one.sent)
    if ("acknowledged" in one) history.acknowledged(one.acknowledged)
    if ("refused" in one) history.refused(one.refused)
  }
  return history.violations(log)
}

/** N1: every event was handled to its end at least once, and nothing that is not in the log. */
function* unhandled(log: ReadonlyArray<Seen>, ends: ReadonlyArray<Handling>): Iterable<string> {
  const handled = new Set(ends.map(({ position }) => position))
  for (const { position, stream } of log)
    if (!handled.has(position)) yield `N1: ${position} (${stream}) was never handled`
  const there = new Set(log.map(({ position }) => position))
  for (const position of handled)
    if (!there.has(position)) yield `N1: ${position} was handled and is not in the log`
}

/** N2: of a stream, no event is begun before the one before it was handled to its end. */
function* outOfOrder(begins: ReadonlyArray<Handling>, ends: ReadonlyArray<Handling>): Iterable<string> {
  const firstBegun = new Map<string, Handling>()
  const firstEnded = new Map<string, number>()
  for (const one of begins) {
    const key = `${one.stream} ${one.version}`
    const known = firstBegun.get(key)
    if (known === undefined || one.at < known.at) firstBegun.set(key, one)
  }
  for (const { stream, version, at } of ends) {
    const key = `${stream} ${version}`
    firstEnded.set(key, Math.min(at, firstEnded.get(key) ?? at))
  }
  for (const { stream, version, at, position } of firstBegun.values()) {
    if (version === 1) continue
    const before = firstEnded.get(`${stream} ${version - 1}`)
    if (before === undefined || before > at)
      yield `N2: ${stream} ${version} (${position}) was begun before version ${version - 1} was handled`
  }
}

/** What processes began first after they had been paused: that may have been between their last look at the clock and the call. */
const firstAfterPauses = (
  said: ReadonlyArray<Said>,
  begins: ReadonlyArray<Handling>
): ReadonlySet<Handling | undefined> => {
  const resumed = said.flatMap((one) => ("resumed" in one ? [one.resumed] : []))
  return new Set(resumed.map(({ pid, at }) => begins.find((one) => one.pid === pid && one.at >= at)))
}

/** N3: who lost a partition begins nothing in it any more. */
function* fenced(said: ReadonlyArray<Said>, begins: ReadonlyArray<Handling>): Iterable<string> {
  const newest = new Map<number, number>()
  const inOrder = begins.toSorted((a, b) => a.at - b.at)
  const excused = firstAfterPauses(said, inOrder)
  for (const one of inOrder) {
    const { partition, epoch, position } = one
    const known = newest.get(partition) ?? 0
    if (epoch < known && !excused.has(one))
      yield `N3: ${position} was begun under epoch ${epoch} of partition ${partition}, after epoch ${known} had begun`
    newest.set(partition, Math.max(known, epoch))
  }
}

/** N4, N6: every event had its effect once. */
function* notOnce(rule: string, log: ReadonlyArray<Seen>, effects: ReadonlyArray<Effect>): Iterable<string> {
  const times = new Map<number, number>()
  for (const { position } of effects) times.set(position, (times.get(position) ?? 0) + 1)
  for (const { position, stream } of log) {
    const count = times.get(position) ?? 0
    if (count !== 1) yield `${rule}: ${position} (${stream}) had its effect ${count} times`
    times.delete(position)
  }
  for (const position of times.keys()) yield `${rule}: ${position} had an effect and is not in the log`
}

/** N5: the effects of a stream are in its order. */
function* disorderly(effects: ReadonlyArray<Effect>): Iterable<string> {
  const versions = new Map<string, number>()
  for (const { stream, version } of effects) {
    const before = versions.get(stream) ?? 0
    if (version <= before) yield `N5: ${stream} ${version} had its effect after ${before}`
    versions.set(stream, version)
  }
}

/** N7: what adds up the events of a stream has each of them once. */
function* miscounted(log: ReadonlyArray<Seen>, totals: ReadonlyArray<Total>): Iterable<string> {
  const expected = new Map<string, Total>()
  for (const { stream, version, position } of log) {
    const { events = 0, sum = 0 } = expected.get(stream) ?? {}
    expected.set(stream, { stream, events: events + 1, last: version, sum: sum + position })
  }
  const shown = ({ events, last, sum }: Total): string => `${events} events to version ${last}, sum ${sum}`
  for (const total of totals) {
    const right = expected.get(total.stream)
    if (right === undefined) yield `N7: ${total.stream} has a total and no events`
    else if (shown(right) !== shown(total))
      yield `N7: ${total.stream} has the total ${shown(total)}; it should be ${shown(right)}`
    expected.delete(total.stream)
  }
  for (const stream of expected.keys()) yield `N7: ${stream} has no total`
}

/** Everything that is wrong. */
export const violations = (evidence: Evidence): ReadonlyArray<string> => {
  const { said, log, written, emitted, folded, totals } = evidence
  const begins = said.flatMap((one) => ("begins" in one ? [one.begins] : []))
  const ends = said.flatMap((one) => ("ends" in one ? [one.ends] : []))
  return [
    ...emits(said, log),
    ...few(unhandled(log, ends)),
    ...few(outOfOrder(begins, ends)),
    ...few(fenced(said, begins)),
    ...few(notOnce("N4", log, written)),
    ...few(notOnce("N4", log, emitted)),
    ...few(disorderly(written)),
    ...few(disorderly(emitted)),
    ...few(notOnce("N6", log, folded)),
    ...few(miscounted(log, totals))
  ]
}
