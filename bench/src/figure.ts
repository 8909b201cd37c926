export type Unit = "events/s" | "ops/s" | "ms" | "queries/min" | "bytes/byte" | "×"

/** What one contender reached; the best of them is a figure's baseline. */
export interface Rival {
  readonly name: string
  readonly value: number
}

/** One measured number of Tidemark beside what it is compared with. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: Unit
  /** The best rival's number, measured in the same run on the same server; null when there is none. */
  readonly baseline: number | null
  /** How many times better than the baseline: above 1 is better, whether more or less of the unit is good. */
  readonly ratio: number | null
  /** Everything measured in the same turns, rivals or not. */
  readonly beside: ReadonlyArray<Rival>
}

const moreIsBetter = (unit: Unit): boolean => unit === "events/s" || unit === "ops/s"

const best = (unit: Unit, rivals: ReadonlyArray<Rival>): Rival | undefined =>
  rivals.reduce<Rival | undefined>((leader, rival) => {
    if (leader === undefined) return rival
    return moreIsBetter(unit) === rival.value > leader.value ? rival : leader
  }, undefined)

/** `beside` is shown with the figure; only those of it that `isRival` admits can be its baseline. */
export const figure = (
  name: string,
  unit: Unit,
  value: number,
  beside: ReadonlyArray<Rival> = [],
  isRival: (contender: string) => boolean = () => true
): Figure => {
  const rivals = beside.filter((rival) => isRival(rival.name))
  const baseline = best(unit, rivals)?.value ?? null
  const ratio = baseline === null ? null : moreIsBetter(unit) ? value / baseline : baseline / value
  return { name, value, unit, baseline, ratio, beside }
}
