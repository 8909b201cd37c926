import { formatPointer, type Path } from "../../base/pointer.ts"
import { namedElements } from "./keyed-array.ts"
import type { Rulebook } from "./rule.ts"
import { entryOf, isArray, isObject, isSame, type MaybeVirtual, type Virtual } from "./virtual.ts"

interface Subtree {
  readonly value: Virtual
  /** Of the first one. */
  readonly path: string
  count: number
}

/** The offset basis and the prime of FNV-1a for 32 bits. */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

const mixed = (hash: number, more: number): number => Math.imul(hash ^ more, FNV_PRIME) >>> 0

const hashOfText = (text: string): number => {
  let hash = FNV_BASIS
  for (let index = 0; index < text.length; index += 1) hash = mixed(hash, text.charCodeAt(index))
  return hash
}

/** What is so common that one is not known from another: null, booleans, numbers, and whatever is empty. */
const isCommon = (value: Virtual): boolean => {
  if (typeof value === "string" || isArray(value)) return value.length === 0
  return !isObject(value) || Object.keys(value).length === 0
}

/** Subtrees that a value has and another one does not have at the same path, to be found by their value. */
export class Subtrees {
  private readonly byHash = new Map<number, Array<Subtree>>()
  private readonly rules: Rulebook

  constructor(rules: Rulebook, path: Path, value: MaybeVirtual, other: MaybeVirtual) {
    this.rules = rules
    this.compare(path, value, other)
  }

  /** Where the only subtree of this value is; undefined where there is none, or more than one. */
  only(value: Virtual): string | undefined {
    const found = this.byHash.get(this.hash(undefined, value))?.find((known) => isSame(known.value, value))
    return found?.count === 1 ? found.path : undefined
  }

  private compare(path: Path, value: MaybeVirtual, other: MaybeVirtual): void {
    if (value === undefined || value === other) return
    if (other === undefined) {
      this.hash(path, value)
      return
    }
    const within = this.children(path, value)
    const without = this.children(path, other)
    if (within === undefined || without === undefined || isArray(value) !== isArray(other)) return
    for (const [key, child] of within) this.compare([...path, key], child, without.get(key))
  }

  /** What has paths of its own below a path: the entries of an object, and the elements of a keyed array. */
  private children(path: Path, value: Virtual): ReadonlyMap<string, Virtual> | undefined {
    if (isObject(value)) return new Map(Object.keys(value).map((key) => [key, entryOf(value, key)!]))
    const rule = isArray(value) ? this.rules.at(path).array : undefined
    if (!isArray(value) || typeof rule !== "object") return undefined
    const named = namedElements(value, rule.keyed)
    return typeof named === "string" ? undefined : named
  }

  /** The hash of a value; on the way, where a path is given, what lies there and below is written down. */
  private hash(path: Path | undefined, value: Virtual): number {
    let hash = hashOfText(typeof value)
    if (isObject(value)) {
      for (const key of Object.keys(value)) {
        const below = this.hash(path && [...path, key], entryOf(value, key)!)
        // A sum, since the order of keys does not count.
        hash = (hash + mixed(hashOfText(key), below)) >>> 0
      }
    } else if (isArray(value)) {
      const named = path && this.children(path, value)
      const names = named && [...named.keys()]
      for (const [index, element] of value.entries()) {
        hash = mixed(hash, this.hash(path && names && [...path, names[index]!], element))
      }
    } else hash = mixed(hash, hashOfText(String(value)))
    if (path !== undefined && !isCommon(value)) this.add(hash, path, value)
    return hash
  }

  private add(hash: number, path: Path, value: Virtual): void {
    const known = this.byHash.get(hash) ?? []
    const same = known.find((subtree) => isSame(subtree.value, value))
    if (same === undefined) known.push({ value, path: formatPointer(path), count: 1 })
    else same.count += 1
    this.byHash.set(hash, known)
  }
}
