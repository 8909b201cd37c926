import jsonpatch from "fast-json-patch"
import { hasKey, isJsonArray, isJsonObject, isSameJson, type Json } from "./json-value.ts"
import { parseOperation, PatchFailed, type PatchOperation, type PatchProblem } from "./patch-operation.ts"
import { formatPointer, type Path } from "./pointer.ts"

/** A container that this patch made, and may change. */
type OwnContainer = Array<Json> | { [key: string]: Json }

const INDEX = /^(?:0|[1-9]\d*)$/

/** Where an element that is added comes after all others. */
const END = "-"

/**
 * A document that is being patched. Containers are copied once, when an operation first leads through them; all else is shared with
 * the document and the values of the operations, and stays as it is.
 *
 * What happens in the container that an operation leads to is for fast-json-patch to do. Everything before that is done here, since
 * it would, beside changing the document in place:
 * - remove what is not there; take what an object inherits for its own (`/constructor/name`); ban `constructor/prototype` even where
 *   an object has both as keys of its own;
 * - take "" and 01 for indexes, and 4294967296 for 0; remove and replace beyond the end of an array; set its `length`;
 * - do nothing, or throw a TypeError, where a path leads through a scalar or through nothing;
 * - take `~2` for a part of a pointer, move the document into itself, and add undefined where an operation has no value;
 * - throw a TypeError when it compares objects with a key `hasOwnProperty`;
 * - copy deeply what it copies, and what a move writes over.
 * Its own checks (`validateOperation`) let some of these pass, and cost a deep copy of the document for each move and copy.
 */
class Draft {
  private root: Json
  private readonly own = new Set<Json>()
  private operation!: PatchOperation
  private index = -1

  constructor(document: Json) {
    this.root = document
  }

  get document(): Json {
    return this.root
  }

  apply(operation: PatchOperation): void {
    this.operation = operation
    this.index += 1
    const parsed = parseOperation(operation, this.index)
    switch (parsed.op) {
      case "add":
      case "replace":
        return this.change(parsed.op, parsed.path, parsed.value)
      case "remove":
        return this.change("remove", parsed.path)
      case "move":
        return this.move(parsed.from, parsed.path)
      case "copy":
        return this.copy(parsed.from, parsed.path)
      case "test":
        if (!isSameJson(this.find(parsed.path), parsed.value)) this.fail("test")
    }
  }

  /** A document of which the whole was removed is null, as it is for fast-json-patch; the RFC does not say. */
  private change(op: "add" | "remove" | "replace", path: Path, value: Json = null): void {
    const part = path.at(-1)
    if (part === undefined) {
      this.root = value
      return
    }
    const container = this.open(path.slice(0, -1))
    if (op === "add") this.checkPlace(container, part)
    else this.child(container, part)
    jsonpatch.applyOperation<unknown>(container, { op, path: formatPointer([part]), value })
  }

  private checkPlace(container: OwnContainer, part: string): void {
    if (isJsonArray(container) && part !== END && this.indexOf(part) > container.length) this.fail("index")
  }

  /** As the RFC defines it: what is at `path` is looked for when the value has left `from` already. */
  private move(from: Path, path: Path): void {
    const value = this.find(from)
    if (isSamePath(from, path)) return
    this.change("remove", from)
    this.change("add", path, value)
  }

  private copy(from: Path, path: Path): void {
    const value = this.find(from)
    this.disown(value)
    this.change("add", path, value)
  }

  private find(path: Path): Json {
    let value = this.root
    for (const part of path) value = this.child(value, part)
    return value
  }

  private child(value: Json, part: string): Json {
    if (isJsonArray(value)) {
      const index = this.indexOf(part)
      return index < value.length ? value[index]! : this.fail("index")
    }
    if (!isJsonObject(value)) return this.fail("through_scalar")
    return hasKey(value, part) ? value[part]! : this.fail("missing")
  }

  private indexOf(part: string): number {
    return INDEX.test(part) ? Number(part) : this.fail("index")
  }

  /** The container at a path, after each on the way to it was copied that this patch has not made itself. */
  private open(path: Path): OwnContainer {
    let container = this.owned(this.root)
    this.root = container
    for (const part of path) {
      const child = this.owned(this.child(container, part))
      ;(container as Record<string, Json>)[part] = child
      container = child
    }
    return container
  }

  private owned(value: Json): OwnContainer {
    if (this.own.has(value)) return value as OwnContainer
    if (!isJsonArray(value) && !isJsonObject(value)) return this.fail("through_scalar")
    const copy = isJsonArray(value) ? [...value] : { ...value }
    this.own.add(copy)
    return copy
  }

  /** What is in two places from now on must not be changed in one of them. Whatever is own lies in what is own, up to the root. */
  private disown(value: Json): void {
    if (this.own.delete(value)) for (const child of Object.values(value as OwnContainer)) this.disown(child)
  }

  private fail(kind: PatchProblem): never {
    throw new PatchFailed(kind, this.index, this.operation)
  }
}

const isSamePath = (one: Path, other: Path): boolean =>
  one.length === other.length && one.every((part, index) => part === other[index])

/**
 * The document after all operations of an RFC 6902 patch, in their order. The document itself is never changed, nor is any value in the
 * operations: what they do not touch is shared (`===`) with the result, and so are the values that they add.
 *
 * Throws PatchFailed, and then nothing was done, where an operation cannot be applied. `""` is the whole document, which is null once
 * it is removed. `-` is the end of an array, to which values can be added, moved and copied.
 */
export const applyPatch = (document: Json, operations: ReadonlyArray<PatchOperation>): Json => {
  const draft = new Draft(document)
  for (const operation of operations) draft.apply(operation)
  return draft.document
}
