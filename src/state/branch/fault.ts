import type { Fault, TailEvent } from "../store.ts"

/** The branch that is damaged where one begins with a version of it, or of one that does. */
export interface Inherited {
  readonly parent: string
  /** The version of it with which the next one begins. */
  readonly from: number
  readonly fault: Fault
}

/** What is damaged at a version: what was repaired later still is. */
export const faultAt = (faults: ReadonlyArray<Fault>, version: number): Fault | undefined =>
  faults.find((fault) => fault.version <= version && (fault.repaired === null || version < fault.repaired))

/** Of numbers of its own, since those of its parent mean other events here. */
export const faultAtFork = (
  { version, position }: Pick<TailEvent, "version" | "position">,
  { parent, from, fault }: Inherited
): Fault => {
  const detail = `it begins with version ${from} of the branch ${JSON.stringify(parent)}, which is damaged from version ${fault.version} on`
  return { version, position, detail, good: 0, repaired: null }
}
