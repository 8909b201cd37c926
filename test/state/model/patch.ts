import { copyOf, isSame, TIERS, type Value } from "./document.ts"

/** An operation of an RFC 6902 patch, as a program has it: well-formed, and not always possible. */
export interface Operation {
  readonly op: "add" | "remove" | "replace" | "test" | "move" | "copy"
  readonly path: string
  readonly from?: string
  readonly value?: Value
}

class Impossible extends Error {}

const partsOf = (pointer: string): ReadonlyArray<string> =>
  pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))

const indexIn = (array: ReadonlyArray<Value>, part: string, isNew: boolean): number => {
  if (part === "-" && isNew) return array.length
  const index = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : -1
  if (index < 0 || index > array.length || (index === array.length && !isNew)) throw new Impossible()
  return index
}

const child = (value: Value, part: string): Value => {
  if (Array.isArray(value)) return value[indexIn(value, part, false)]!
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) throw new Impossible()
  return value[part]!
}

const find = (root: Value, parts: ReadonlyArray<string>): Value => parts.reduce(child, root)

const remove = (root: Value, parts: ReadonlyArray<string>): Value => {
  if (parts.length === 0) return null
  const container = find(root, parts.slice(0, -1))
  const part = parts.at(-1)!
  child(container, part)
  if (Array.isArray(container)) container.splice(Number(part), 1)
  else delete (container as { [key: string]: Value })[part]
  return root
}

const add = (root: Value, parts: ReadonlyArray<string>, value: Value): Value => {
  if (parts.length === 0) return copyOf(value)
  const container = find(root, parts.slice(0, -1))
  const part = parts.at(-1)!
  if (Array.isArray(container)) container.splice(indexIn(container, part, true), 0, copyOf(value))
  else if (typeof container === "object" && container !== null) container[part] = copyOf(value)
  else throw new Impossible()
  return root
}

const replace = (root: Value, parts: ReadonlyArray<string>, value: Value): Value => {
  if (parts.length === 0) return copyOf(value)
  const container = find(root, parts.slice(0, -1))
  const part = parts.at(-1)!
  child(container, part)
  ;(container as { [key: string]: Value })[part] = copyOf(value)
  return root
}

const step = (root: Value, { op, path, from, value = null }: Operation): Value => {
  const parts = partsOf(path)
  switch (op) {
    case "add":
      return add(root, parts, value)
    case "remove":
      return remove(root, parts)
    case "replace":
      return replace(root, parts, value)
    case "test":
      if (!isSame(find(root, parts), value)) throw new Impossible()
      return root
    case "copy":
      return add(root, parts, find(root, partsOf(from!)))
    case "move": {
      const moved = copyOf(find(root, partsOf(from!)))
      if (from !== path && path.startsWith(`${from}/`)) throw new Impossible()
      return from === path ? root : add(remove(root, partsOf(from!)), parts, moved)
    }
  }
}

const isState = (value: Value): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((tier) => (TIERS as ReadonlyArray<string>).includes(tier)) &&
  TIERS.every((tier) => {
    const values = value[tier]
    return typeof values === "object" && values !== null && !Array.isArray(values)
  })

/** The document after the patch; or by what it is refused. RFC 6902, operation by operation on a copy. */
export const patched = <Document>(
  document: Document,
  patch: ReadonlyArray<Operation>
): Document | "PatchRefused" | "InvalidChange" => {
  try {
    const after = patch.reduce(step, copyOf(document) as unknown as Value)
    return isState(after) ? (after as unknown as Document) : "InvalidChange"
  } catch (error) {
    if (error instanceof Impossible) return "PatchRefused"
    throw error
  }
}
