import { identityOf } from "./identity.ts"
import type { Arrays } from "./merging.ts"
import type { Virtual } from "./virtual.ts"

const byIdentity = (array: ReadonlyArray<Virtual>): ReadonlyMap<string | symbol, Virtual> =>
  new Map(array.toReversed().map((element) => [identityOf(element), element]))

/** Merges arrays as sets: what both kept and what either added, each once; ours in its order, then what theirs added. */
export const mergeSets = ({ base, ours, theirs }: Arrays): ReadonlyArray<Virtual> => {
  const [inBase, inOurs, inTheirs] = [byIdentity(base), byIdentity(ours), byIdentity(theirs)]
  const merged = new Map<string | symbol, Virtual>()
  for (const element of ours) {
    const identity = identityOf(element)
    if (inTheirs.has(identity) || !inBase.has(identity)) merged.set(identity, element)
  }
  for (const element of theirs) {
    const identity = identityOf(element)
    if (!inOurs.has(identity) && !inBase.has(identity)) merged.set(identity, element)
  }
  return [...merged.values()]
}
