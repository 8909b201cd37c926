/** A terminal of unknown size. */
const DEFAULT_WIDTH = 80

/** Resolves when the reader of a pipe keeps up. */
export const writeLine = (line: string): Promise<void> =>
  process.stdout.write(`${line}\n`)
    ? Promise.resolve()
    : new Promise((resolve) => process.stdout.once("drain", resolve))

/** In columns, the last one left free; undefined where nothing is cut. */
export const widthNow = (): number | undefined =>
  process.stdout.isTTY ? (process.stdout.columns || DEFAULT_WIDTH) - 1 : undefined
