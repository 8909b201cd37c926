import { type Path, parsePointer } from "../../base/pointer.ts"

/** Matches any one part of a path. */
const ONE = "*"

/** Matches any number of parts, also none. */
const ANY = "**"

/**
 * A pattern of paths, written as an RFC 6901 pointer: `*` is any one part, `**` any number of parts, also none; every
 * other part is itself. A key that is itself `*` or `**` cannot be named, only matched.
 */
export type Glob = ReadonlyArray<string>

/** The glob that a text is; undefined where it is none. */
export const parseGlob = (text: string): Glob | undefined => parsePointer(text)

/** Whether a glob matches a path, in at most the product of their lengths: only the last `**` is ever tried again. */
export const matches = (glob: Glob, path: Path): boolean => {
  let at = 0
  let part = 0
  let open = -1
  let taken = 0
  while (part < path.length) {
    const wanted = glob[at]
    if (wanted === ANY) {
      open = at
      taken = part
      at += 1
    } else if (wanted !== undefined && (wanted === ONE || wanted === path[part])) {
      at += 1
      part += 1
    } else if (open !== -1) {
      taken += 1
      part = taken
      at = open + 1
    } else return false
  }
  return glob.slice(at).every((rest) => rest === ANY)
}

const literals = (glob: Glob): number => glob.filter((part) => part !== ONE && part !== ANY).length

const singles = (glob: Glob): number => glob.filter((part) => part !== ANY).length

/** Below 0 where the first glob says less exactly what it matches: by its literal parts, then by its parts but `**`. */
export const bySpecificity = (one: Glob, other: Glob): number =>
  literals(one) - literals(other) || singles(one) - singles(other)
