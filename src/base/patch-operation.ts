import type { Json, MaybeJson } from "./json-value.ts"
import { isAtOrAbove, parsePointer, type Path } from "./pointer.ts"

/** An operation of RFC 6902. Its paths are pointers as of RFC 6901; `""` is the whole document. */
export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string }

/**
 * Why a patch failed: `test` found another value; an object on the way has no such key; the path leads on below what is neither
 * array nor object; an array on the way has no such index; or the operation itself is malformed.
 */
export type PatchProblem = "test" | "missing" | "through_scalar" | "index" | "malformed"

/** What is wrong, where nothing more can be said without telling of the document. */
const SENTENCES: Readonly<Record<PatchProblem, string>> = {
  test: "the value is not the one that it tests for",
  missing: "an object does not have the key that a path names",
  through_scalar: "a path leads on below what is neither an array nor an object",
  index: "an array does not have the index that a path names",
  malformed: "it is not an operation of RFC 6902"
}

/** A patch cannot be applied: no operation of it was. Says nothing of what is in the document. */
export class PatchFailed extends Error {
  override readonly name = "PatchFailed"
  readonly kind: PatchProblem
  /** Which operation of the patch, from 0. */
  readonly index: number
  readonly operation: PatchOperation
  readonly problem: string

  constructor(kind: PatchProblem, index: number, operation: PatchOperation, problem = SENTENCES[kind]) {
    super(`Operation ${index} of the patch cannot be applied: ${problem}. Nothing was changed.`)
    this.kind = kind
    this.index = index
    this.operation = operation
    this.problem = problem
  }
}

/** An operation whose pointers are taken apart. */
export type ParsedOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: Path; readonly value: Json }
  | { readonly op: "remove"; readonly path: Path }
  | { readonly op: "move" | "copy"; readonly from: Path; readonly path: Path }

/** What `JSON.parse` gives may be anything, whatever its type says. */
interface Given {
  readonly op?: unknown
  readonly path?: unknown
  readonly from?: unknown
  readonly value?: MaybeJson
}

const pathProblem = (path: Path | undefined, name: string): string | undefined => {
  if (path === undefined) return `its ${name} is not a pointer of RFC 6901`
  return path.includes("__proto__") ? `its ${name} leads through __proto__` : undefined
}

/** Takes an operation apart. Throws PatchFailed, which says that it is operation `index`, where it is malformed. */
export const parseOperation = (operation: PatchOperation, index: number): ParsedOperation => {
  const malformed = (problem?: string) => new PatchFailed("malformed", index, operation, problem)
  const pointer = (given: unknown, name: string): Path => {
    const path = parsePointer(given as string)
    const problem = pathProblem(path, name)
    if (problem !== undefined) throw malformed(problem)
    return path!
  }

  if (typeof operation !== "object" || operation === null) throw malformed("it is not an object")
  const { op, path: to, from, value } = operation as Given
  const path = pointer(to, "path")
  switch (op) {
    case "add":
    case "replace":
    case "test":
      if (value === undefined) throw malformed("it has no value")
      return { op, path, value }
    case "remove":
      return { op, path }
    case "move":
    case "copy": {
      const source = pointer(from, "from")
      if (op === "move" && source.length < path.length && isAtOrAbove(source, path))
        throw malformed("it moves a value into itself")
      return { op, from: source, path }
    }
    default:
      throw malformed()
  }
}

/**
 * The paths that an operation reads or writes. An element that comes into an array or leaves it moves those behind it as well, of
 * which its path says nothing. Throws PatchFailed, as of operation `index`, where the operation is malformed.
 */
export const operationPaths = (operation: PatchOperation, index = 0): ReadonlyArray<Path> => {
  const parsed = parseOperation(operation, index)
  return "from" in parsed ? [parsed.from, parsed.path] : [parsed.path]
}
