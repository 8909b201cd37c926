/** The first wait between two tries, in ms. */
const FIRST_MS = 20

/** The longest wait between two tries, in ms. */
const LONGEST_MS = 2000

/** How long to wait after so many failed tries, in ms: doubling, and spread evenly so that clients do not return in step. */
export const backoffMs = (failures: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2)
