/** Texts in groups of at most so many characters together, unless a single one is longer. */
export const chunksOf = (
  texts: ReadonlyArray<string>,
  most: number
): ReadonlyArray<ReadonlyArray<string>> => {
  const chunks: Array<Array<string>> = []
  let characters = Number.POSITIVE_INFINITY
  for (const text of texts) {
    if (characters + text.length > most) {
      chunks.push([])
      characters = 0
    }
    chunks.at(-1)!.push(text)
    characters += text.length
  }
  return chunks
}
