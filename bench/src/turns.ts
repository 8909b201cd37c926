import type { Bench } from "./bench.ts"
import { TIDEMARK } from "./contenders.ts"
import { figure, type Figure, type Rival, type Unit } from "./figure.ts"
import { median } from "./quantile.ts"

/** What each contender's turns found, by name. */
export type Turns<R> = ReadonlyMap<string, ReadonlyArray<R>>

/** Turns go A B C A B C …, so that a machine's bad minute falls on all of them. */
export const interleaved = async <E extends { readonly name: string }, R>(
  bench: Bench,
  entrants: ReadonlyArray<E>,
  turn: (entrant: E) => Promise<R>
): Promise<Turns<R>> => {
  const turns = new Map<string, Array<R>>(entrants.map(({ name }) => [name, []]))
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const entrant of entrants) {
      bench.note(`  round ${round} of ${bench.rounds}: ${entrant.name}`)
      await bench.server.checkpoint()
      turns.get(entrant.name)?.push(await turn(entrant))
    }
  }
  return turns
}

/** The median of Tidemark's turns against the medians of those contenders that `isRival` admits. */
export const compared = <R>(
  name: string,
  unit: Unit,
  turns: Turns<R>,
  read: (turn: R) => number,
  isRival: (contender: string) => boolean
): Figure => {
  const medians = [...turns].map(([contender, found]): Rival => ({
    name: contender,
    value: median(found.map(read))
  }))
  const own = medians.find((contender) => contender.name === TIDEMARK)?.value ?? Number.NaN
  const beside = medians.filter((contender) => contender.name !== TIDEMARK)
  return figure(name, unit, own, beside, isRival)
}
