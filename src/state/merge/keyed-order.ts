/** The names of an array's elements, in its order. */
export type Names = ReadonlyArray<string>

/** Whether what a side still has of the base stands in the base's order. */
const keepsOrder = (base: Names, side: Names): boolean => {
  const places = new Map(base.map((name, index) => [name, index]))
  let last = -1
  for (const name of side) {
    const place = places.get(name) ?? last
    if (place < last) return false
    last = place
  }
  return true
}

/** Before the first name. */
const START = ""

/** What one side has beyond a spine, by the nearest name before it that stands in both. */
const groupsBehind = (
  names: Names,
  spine: ReadonlySet<string>,
  wanted: ReadonlySet<string>
): ReadonlyMap<string, Names> => {
  const groups = new Map<string, Array<string>>()
  let anchor = START
  for (const name of names) {
    if (!wanted.has(name)) continue
    if (spine.has(name)) anchor = name
    else {
      const group = groups.get(anchor) ?? []
      group.push(name)
      groups.set(anchor, group)
    }
  }
  return groups
}

/** A spine with what another list has beyond it, either right behind its anchors or behind what only the spine has there. */
const woven = (leading: Names, other: Names, wanted: ReadonlySet<string>, rightBehind: boolean): Names => {
  const spine = leading.filter((name) => wanted.has(name))
  const groups = groupsBehind(other, new Set(spine), wanted)
  const both = new Set(other)
  const order: Array<string> = []
  let waiting: Names = []
  const placeWaiting = (): void => {
    for (const name of waiting) order.push(name)
    waiting = []
  }
  const pass = (anchor: string): void => {
    placeWaiting()
    if (anchor !== START) order.push(anchor)
    waiting = groups.get(anchor) ?? []
    if (rightBehind) placeWaiting()
  }
  pass(START)
  for (const name of spine) {
    if (both.has(name)) pass(name)
    else order.push(name)
  }
  placeWaiting()
  return order
}

/**
 * The order of what is left of two sides. Where only ours kept the order of the base it is that of theirs, otherwise that of
 * ours; what only the other side has stands behind its nearest predecessor that both have. Where both put something into
 * one place, that of ours stands first. Where both kept the order of the base the result keeps it too.
 */
export const mergedOrder = (base: Names, ours: Names, theirs: Names, wanted: ReadonlySet<string>): Names => {
  const oursKept = keepsOrder(base, ours)
  const theirsKept = keepsOrder(base, theirs)
  if (oursKept && !theirsKept) return woven(theirs, ours, wanted, true)
  return woven(oursKept && theirsKept ? woven(base, ours, wanted, true) : ours, theirs, wanted, false)
}
