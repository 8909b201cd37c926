/** Where in a JSON document: the keys and indexes from its root on, each as text. */
export type Path = ReadonlyArray<string>

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/

/** The path that an RFC 6901 pointer names; undefined where it is none. */
export const parsePointer = (pointer: string): Path | undefined => {
  if (typeof pointer !== "string" || !POINTER.test(pointer)) return undefined
  if (pointer === "") return []
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
}

const escaped = (part: string): string => part.replaceAll("~", "~0").replaceAll("/", "~1")

/** The RFC 6901 pointer of a path. */
export const formatPointer = (path: Path): string => path.map((part) => `/${escaped(part)}`).join("")

/** Whether a path is another one or lies above it; by whole parts, so that `/a` is not above `/aa`. */
export const isAtOrAbove = (path: Path, other: Path): boolean =>
  path.length <= other.length && path.every((part, index) => part === other[index])

/** Whether two paths touch: one of them is, or lies above, the other. */
export const touches = (one: Path, other: Path): boolean => isAtOrAbove(one, other) || isAtOrAbove(other, one)
