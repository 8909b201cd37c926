/** How many names a sentence bears. */
const NAMED = 5

/** `a`, `a and b`, `a, b and c`; of more than five names the first five, and how many more there are. */
export const list = (names: ReadonlyArray<string>): string => {
  const shown = names.length > NAMED ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names
  return shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`
}

/** `1 event`, `2 events`. */
export const count = (many: number, one: string, more: string): string => `${many} ${many === 1 ? one : more}`

const MS_PER_SECOND = 1_000

/** A time in ms as seconds: `0.4 s`, `75 s`. */
export const seconds = (ms: number): string =>
  `${(ms / MS_PER_SECOND).toFixed(ms < 10 * MS_PER_SECOND ? 1 : 0)} s`
