import type { AuditEntry } from "./subject.ts"

/** An event as far as causes go. */
export interface Link {
  readonly position: number
  readonly id: string
  /** The id of the event that led to it, in lower case. */
  readonly cause: string | undefined
}

/** Where an event is in its tree. */
export interface Placing extends Pick<AuditEntry, "depth" | "cause"> {
  readonly link: Link
}

const byPosition = (one: Link, other: Link): number => one.position - other.position

/** Lays links out as trees, each before what it led to. Every link comes once, whatever their causes say. */
export const forest = (links: ReadonlyArray<Link>): ReadonlyArray<Placing> => {
  const sorted = links.toSorted(byPosition)
  const byId = new Map<string, Link>()
  for (const link of sorted) if (!byId.has(link.id)) byId.set(link.id, link)
  const parentOf = ({ cause }: Link): Link | undefined => (cause === undefined ? undefined : byId.get(cause))
  const effects = new Map<Link, Array<Link>>()
  for (const link of sorted) {
    const parent = parentOf(link)
    if (parent === undefined) continue
    const known = effects.get(parent)
    if (known === undefined) effects.set(parent, [link])
    else known.push(link)
  }
  const roots = sorted.filter((link) => parentOf(link) === undefined)
  const circular = circularRoots(sorted, parentOf)
  return placed([...roots, ...circular].toSorted(byPosition), effects, circular)
}

/** The first link of each circle: causes that lead back to where they began have no root of their own. */
const circularRoots = (
  links: ReadonlyArray<Link>,
  parentOf: (link: Link) => Link | undefined
): ReadonlySet<Link> => {
  const walked = new Map<Link, number>()
  const roots = new Set<Link>()
  links.forEach((start, walk) => {
    let at: Link | undefined = start
    while (at !== undefined && !walked.has(at)) {
      walked.set(at, walk)
      at = parentOf(at)
    }
    if (at === undefined || walked.get(at) !== walk) return
    let first = at
    for (let next = parentOf(at)!; next !== at; next = parentOf(next)!) {
      if (next.position < first.position) first = next
    }
    roots.add(first)
  })
  return roots
}

/** Without recursion: a chain of causes may be longer than a stack. */
const placed = (
  roots: ReadonlyArray<Link>,
  effects: ReadonlyMap<Link, ReadonlyArray<Link>>,
  circular: ReadonlySet<Link>
): ReadonlyArray<Placing> => {
  const placings: Array<Placing> = []
  const waiting = roots.map((link) => ({ link, depth: 0 })).toReversed()
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { link, depth } = next
    placings.push({ link, depth, cause: causeOf(link, depth, circular) })
    const below = effects.get(link) ?? []
    for (let at = below.length - 1; at >= 0; at--) {
      if (!circular.has(below[at]!)) waiting.push({ link: below[at]!, depth: depth + 1 })
    }
  }
  return placings
}

const causeOf = (link: Link, depth: number, circular: ReadonlySet<Link>): AuditEntry["cause"] => {
  if (depth > 0) return "shown"
  if (link.cause === undefined) return "none"
  return circular.has(link) ? "circular" : "absent"
}
