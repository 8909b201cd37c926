import { type Doc, pointerOf, type Value } from "./document.ts"
import type { Operation } from "./patch.ts"
import type { OperationSeed } from "./programs.ts"

type Path = ReadonlyArray<string>

/** All places of a value. */
const placesIn = (value: Value, above: Path = []): ReadonlyArray<Path> => {
  const below = isContainer(value)
    ? Object.entries(value).flatMap(([part, child]) => placesIn(child, [...above, part]))
    : []
  return [above, ...below]
}

const isContainer = (value: Value): value is Array<Value> | { [key: string]: Value } =>
  typeof value === "object" && value !== null

const valueAt = (value: Value, path: Path): Value =>
  path.reduce<Value>((inside, part) => (inside as { [key: string]: Value })[part]!, value)

/** A patch of a document; often, not always, it can be applied. */
export const operationsOf = (doc: Doc, seeds: ReadonlyArray<OperationSeed>): ReadonlyArray<Operation> => {
  const root = doc as unknown as Value
  const places = placesIn(root)
  const values = places.filter(({ length }) => length > 1)
  const containers = places.filter((place) => place.length > 0 && isContainer(valueAt(root, place)))
  /** Most often one where it makes sense. */
  const pick = (fit: ReadonlyArray<Path>, nth: number): Path => {
    const from = nth % 12 === 0 || fit.length === 0 ? places : fit
    return from[Math.floor(nth / 12) % from.length]!
  }
  return seeds.map(({ op, at, to, key, value }): Operation => {
    const place = pick(values, at)
    const [path, below] = [pointerOf(place), pointerOf([...pick(containers, to), key])]
    switch (op) {
      case "remove":
        return { op, path }
      case "move":
      case "copy":
        return { op, from: path, path: below }
      case "test":
        return { op, path, value: to % 6 === 0 ? value : valueAt(root, place) }
      default:
        return { op, path: op === "add" && at % 3 > 0 ? below : path, value }
    }
  })
}
