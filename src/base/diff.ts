import { JsonLength } from "./json-length.ts"
import { hasKey, isJsonArray, isJsonObject, isSameJson, type Json, type JsonObject } from "./json-value.ts"
import type { PatchOperation } from "./patch-operation.ts"
import { formatPointer, type Path } from "./pointer.ts"

/** The lengths of operations as JSON text, but for their paths and values, with the comma between two of them. */
const BARE_LENGTH = {
  add: '{"op":"add","path":,"value":},'.length,
  remove: '{"op":"remove","path":},'.length,
  replace: '{"op":"replace","path":,"value":},'.length
} as const

/** No patch may lead through this key, so an object that has it is only replaced as a whole. */
const BANNED = "__proto__"

interface Pointer {
  readonly text: string
  /** As JSON text. */
  readonly length: number
}

const pointerTo = (path: Path): Pointer => {
  const text = formatPointer(path)
  return { text, length: JSON.stringify(text).length }
}

const below = (above: Pointer, part: string): Pointer => {
  const step = pointerTo([part])
  return { text: above.text + step.text, length: above.length + step.length - '""'.length }
}

/** Where the values are that are compared now. Pointers are made when somebody asks, and from the one above. */
class Place {
  private readonly parts: Array<string> = []
  /** The pointer to the start, and to as many of the parts behind it as somebody asked for. */
  private readonly pointers: Array<Pointer>

  constructor(start: Path) {
    this.pointers = [pointerTo(start)]
  }

  enter(part: string): void {
    this.parts.push(part)
  }

  leave(): void {
    this.parts.pop()
    if (this.pointers.length > this.parts.length + 1) this.pointers.pop()
  }

  get pointer(): Pointer {
    const { parts, pointers } = this
    for (let level = pointers.length; level <= parts.length; level++)
      pointers.push(below(pointers[level - 1]!, parts[level - 1]!))
    return pointers[parts.length]!
  }
}

/** Finds the operations that make one value another, going through both at once. */
class Comparison {
  readonly operations: Array<PatchOperation> = []
  /** The length of all operations as JSON text. */
  private length = 0
  private readonly place: Place
  private readonly lengths = new JsonLength()

  constructor(path: Path) {
    this.place = new Place(path)
  }

  compare(before: Json, after: Json): void {
    if (before === after) return
    if (isJsonArray(before) && isJsonArray(after)) this.orReplace(after, () => this.items(before, after))
    else if (isOpen(before) && isOpen(after)) this.orReplace(after, () => this.entries(before, after))
    else if (!isSameJson(before, after)) this.write("replace", after)
  }

  /** Does what is to be done with a part of what is compared now. */
  private at(part: string, work: () => void): void {
    this.place.enter(part)
    work()
    this.place.leave()
  }

  /** Drops what the comparison of a container's parts gave where to replace the container says it with fewer characters. */
  private orReplace(after: Json, parts: () => void): void {
    const { length } = this
    const count = this.operations.length
    parts()
    if (this.operations.length === count) return
    const room = this.length - length - BARE_LENGTH.replace - this.place.pointer.length
    if (this.lengths.isOver(after, room - 1)) return
    this.operations.length = count
    this.length = length
    this.write("replace", after)
  }

  private entries(before: JsonObject, after: JsonObject): void {
    for (const key of Object.keys(before)) {
      if (!hasKey(after, key)) this.at(key, () => this.remove())
      else if (before[key] !== after[key]) this.at(key, () => this.compare(before[key]!, after[key]!))
    }
    for (const key of Object.keys(after))
      if (!hasKey(before, key)) this.at(key, () => this.write("add", after[key]!))
  }

  /** What is alike at both ends stays; of what is between, items are compared one by one, and what is left over comes or goes. */
  private items(before: ReadonlyArray<Json>, after: ReadonlyArray<Json>): void {
    const { start, end } = before.length === after.length ? { start: 0, end: 0 } : alikeEnds(before, after)
    const paired = Math.min(before.length, after.length) - end
    for (let index = start; index < paired; index++)
      if (before[index] !== after[index])
        this.at(String(index), () => this.compare(before[index]!, after[index]!))
    for (let index = before.length - end - 1; index >= paired; index--)
      this.at(String(index), () => this.remove())
    for (let index = paired; index < after.length - end; index++)
      this.at(String(index), () => this.write("add", after[index]!))
  }

  private write(op: "add" | "replace", value: Json): void {
    const { text, length } = this.place.pointer
    this.length += BARE_LENGTH[op] + length + this.lengths.of(value)
    this.operations.push({ op, path: text, value })
  }

  private remove(): void {
    const { text, length } = this.place.pointer
    this.length += BARE_LENGTH.remove + length
    this.operations.push({ op: "remove", path: text })
  }
}

const isOpen = (value: Json): value is JsonObject => isJsonObject(value) && !hasKey(value, BANNED)

/** How many items are the same at the start and, behind these, at the end. */
const alikeEnds = (before: ReadonlyArray<Json>, after: ReadonlyArray<Json>) => {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && isSameJson(before[start], after[start])) start += 1
  let end = 0
  while (end < most - start && isSameJson(before.at(-1 - end), after.at(-1 - end))) end += 1
  return { start, end }
}

/**
 * The operations (add, remove, replace) of a patch that makes `before` the same as `after`, both at `path` of a document. None where they
 * are the same already. The operations share the values of `after`.
 *
 * Objects are compared key by key. Arrays keep what is alike at their ends; what lies between is compared item by item, and surplus
 * items are removed from the end or added in order. A container is replaced as a whole where that makes a shorter text than the
 * operations in it. Takes time in proportion to what is not shared (`===`) by both.
 */
export const diff = (before: Json, after: Json, path: Path = []): ReadonlyArray<PatchOperation> => {
  const comparison = new Comparison(path)
  comparison.compare(before, after)
  return comparison.operations
}
