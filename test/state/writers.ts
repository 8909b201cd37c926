import type { Event } from "../../src/index.ts"
import { changedBetween, type Doc, isSame, pointerOf, type Tier } from "./model/document.ts"

// What processes that write one branch said of it, and the judgement of that against its log.

export interface Change {
  readonly tier: string
  readonly key: string
  readonly value: unknown
}

export interface Sent {
  readonly id: string
  /** The version that it was worked out on, where it says so. */
  readonly base?: number
  readonly changes: ReadonlyArray<Change>
  /** To a declared counter, so much more than what was read. */
  readonly adds?: number
}

export interface Conflicting {
  readonly base: number
  readonly version: number
  readonly paths: ReadonlyArray<string>
}

export interface Answer {
  readonly id: string
  /** When its process was told, by the clock that all processes share. */
  readonly at: number
  readonly version?: number
  readonly hash?: string
  readonly changed?: ReadonlyArray<string>
  readonly refused?: string
  readonly conflict?: Conflicting
}

export interface Read {
  /** When it began. */
  readonly from: number
  readonly version: number
  readonly hash: string
}

export interface Said {
  readonly ready?: true
  readonly over?: true
  readonly sent?: Sent
  readonly answer?: Answer
  readonly read?: Read
}

const pathOf = ({ tier, key }: Change): string => pointerOf([tier, key])
const valueIn = (doc: Doc, { tier, key }: Change): unknown => doc[tier as Tier][key]

/** The log of the branch: what it was at each version from 0 on, and the events by the writes that they are of. */
export interface Log {
  readonly docs: ReadonlyArray<Doc>
  readonly hashes: ReadonlyArray<string>
  readonly events: ReadonlyMap<string, ReadonlyArray<Event>>
}

/** What is wrong with one write, as it was sent and answered. */
const wrongWith = (sent: Sent, answer: Answer | undefined, log: Log): string | undefined => {
  const events = log.events.get(sent.id) ?? []
  if (events.length > 1) return `it is in the log ${events.length} times`
  if (answer === undefined) return undefined
  if (answer.refused !== undefined) {
    if (events.length > 0) return `it was refused, and is in the log: ${answer.refused}`
    if (sent.adds !== undefined) return `it was refused, and only adds to a counter: ${answer.refused}`
    if (sent.base === undefined) return `it was refused, and has no base: ${answer.refused}`
    return answer.conflict === undefined ? answer.refused : wrongConflict(sent, answer.conflict, log)
  }
  const after = log.docs[answer.version!]
  if (after === undefined || log.hashes[answer.version!] !== answer.hash)
    return `it is of version ${answer.version}, and that is another one`
  if (answer.changed!.length === 0) {
    if (events.length > 0) return "it changed nothing, and is in the log"
    return sent.adds === undefined ? wrongValue(sent, after) : "it added nothing"
  }
  if (events[0]?.version !== answer.version) return `it is version ${events[0]?.version} in the log`
  const before = log.docs[answer.version! - 1]!
  if (!isSame(changedBetween(before, after), answer.changed!.toSorted())) return "it changed other keys"
  const sumsUp = ({ adds }: Sent, change: Change) =>
    valueIn(after, change) === (valueIn(before, change) as number) + adds!
  if (sent.adds !== undefined) return sent.changes.every((one) => sumsUp(sent, one)) ? undefined : "no sum"
  return wrongValue(sent, after) ?? overwritten(sent, before, log)
}

/** A write with a base leaves alone what others made of its keys since, or is refused. */
const overwritten = ({ base, changes }: Sent, before: Doc, { docs }: Log): string | undefined => {
  if (base === undefined) return undefined
  const lost = changes.find((change) => !isSame(valueIn(docs[base]!, change), valueIn(before, change)))
  return lost && `it overwrote ${JSON.stringify(valueIn(before, lost))} at ${pathOf(lost)}`
}

const wrongValue = ({ changes }: Sent, after: Doc): string | undefined => {
  const wrong = changes.find((change) => !isSame(valueIn(after, change), change.value))
  return wrong && `${pathOf(wrong)} is ${JSON.stringify(valueIn(after, wrong))} after it`
}

/** A conflict is of keys that this write is of, and that others changed after its base. */
const wrongConflict = (
  { changes }: Sent,
  { base, version, paths }: Conflicting,
  { docs }: Log
): string | undefined => {
  const moved = changedBetween(docs[base]!, docs[version]!)
  const wrong = paths.find((path) => !moved.includes(path) || !changes.some((one) => pathOf(one) === path))
  return wrong && `it conflicts at ${wrong}, since version ${base}, at version ${version}`
}

/** What is wrong with one read: it holds whatever anybody had been told by then. */
const wrongRead = (
  { from, version, hash }: Read,
  answers: Iterable<Answer>,
  log: Log
): string | undefined => {
  if (log.hashes[version] !== hash) return `version ${version} was not so`
  for (const { at, version: told = 0 } of answers)
    if (at < from && told > version) return `version ${version} was read after somebody was told of ${told}`
  return undefined
}

/** What is wrong with what processes were told, and with what they read. */
export const wrongs = (said: ReadonlyArray<Said>, log: Log): ReadonlyArray<string> => {
  const answers = new Map(said.flatMap(({ answer }) => (answer === undefined ? [] : [[answer.id, answer]])))
  const sent = said.flatMap((one) => one.sent ?? [])
  const ids = new Set(sent.map(({ id }) => id))
  return [
    ...sent.flatMap((one) => {
      const wrong = wrongWith(one, answers.get(one.id), log)
      return wrong === undefined ? [] : [`${JSON.stringify(one)}: ${wrong}`]
    }),
    ...[...log.events.keys()].filter((id) => !ids.has(id)).map((id) => `nobody sent ${id}`),
    ...said.flatMap(({ read }) => (read && wrongRead(read, answers.values(), log)) ?? [])
  ]
}

/** The writes that are in the log, told of or not, in its order. */
export const made = (said: ReadonlyArray<Said>, log: Log): ReadonlyArray<Sent> =>
  said
    .flatMap(({ sent }) => (sent !== undefined && log.events.has(sent.id) ? [sent] : []))
    .toSorted((one, other) => log.events.get(one.id)![0]!.version - log.events.get(other.id)![0]!.version)
