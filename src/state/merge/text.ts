import { diff3 } from "./diff3.ts"

/** Each line with the newline that ends it. */
const linesOf = (text: string): ReadonlyArray<string> => text.split(/(?<=\n)/)

/** Merges texts line by line; undefined where both sides changed the same lines, or lines that touch, in different ways. */
export const mergeText = (base: string, ours: string, theirs: string): string | undefined =>
  diff3(linesOf(base), linesOf(ours), linesOf(theirs), (line) => line)?.join("")
