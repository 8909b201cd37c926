/** A query has to have so many trigrams for a name to be called alike … */
const LEAST = 5

/** … of which a name has to have at least this part. */
export const LIKENESS = 0.5

/**
 * The trigrams of a word in three pieces that follow each other: one mistake in it, which touches four trigrams that follow each other at most, leaves one
 * of the pieces as it was, where they have three trigrams and more. Undefined where there are too few to tell names by.
 */
export const thirdsOf = (
  trigrams: ReadonlyArray<string>
):
  | readonly [first: ReadonlyArray<string>, second: ReadonlyArray<string>, third: ReadonlyArray<string>]
  | undefined => {
  if (trigrams.length < LEAST) return undefined
  const third = Math.ceil(trigrams.length / 3)
  return [trigrams.slice(0, third), trigrams.slice(third, 2 * third), trigrams.slice(2 * third)]
}
