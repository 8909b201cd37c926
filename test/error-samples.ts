import * as errors from "../src/errors.ts"

/** What others say, as they say it: their words come into our sentences. */
export const words = "the cause said so. It ended with a full stop."
const spoken = new Set(["detail", "problem", "why", "rule"])

interface Ast {
  readonly _tag: string
  readonly literal?: unknown
  readonly types?: ReadonlyArray<Ast>
  readonly rest?: ReadonlyArray<Ast>
  readonly propertySignatures?: ReadonlyArray<{ readonly name: string; readonly type: Ast }>
}

interface Field {
  readonly ast: Ast
  readonly schema?: Field
}

/** The same without a sentence of its own: what then is a sentence is ours. */
export const clauseOnly = "the cause said so"

/** A value of a field of an error class. */
const sampleOf = (
  { _tag, literal, types, rest, propertySignatures }: Ast,
  name: string,
  said: string
): unknown => {
  if (name === "cause") return new Error(said)
  switch (_tag) {
    case "String":
      return spoken.has(name) ? said : "orders-1"
    case "Number":
      return 7
    case "Boolean":
      return true
    case "Literal":
      return literal
    case "Union":
      return sampleOf(types![0]!, name, said)
    case "Arrays":
      return [sampleOf(rest![0]!, "", said)]
    case "Objects":
      return Object.fromEntries(
        propertySignatures!
          .filter(({ type }) => !isOptional({ ast: type }))
          .map((property) => [property.name, sampleOf(property.type, property.name, said)])
      )
    case "Declaration":
      // Any JSON.
      return { orders: [7, null] }
    default:
      throw new Error(`no sample for a field of ${_tag}`)
  }
}

type Made = abstract new (...given: Array<never>) => Error
export interface ErrorClass {
  new (given: Readonly<Record<string, unknown>>): Error
  readonly fields: Readonly<Record<string, Field>>
}

const isOptional = ({ ast }: Field): boolean =>
  (ast as { readonly context?: { readonly isOptional?: boolean } }).context?.isOptional === true

/** One error with all its fields, and one with those that it must have; others have said `said`. */
export const samples = (of: ErrorClass, said: string): ReadonlyArray<Error> => {
  const fields = Object.entries(of.fields).filter(([name]) => name !== "_tag")
  const made = (wanted: typeof fields): Error =>
    new of(Object.fromEntries(wanted.map(([name, { ast }]) => [name, sampleOf(ast, name, said)])))
  return [made(fields), made(fields.filter(([, field]) => !isOptional(field)))]
}

export const classes = Object.entries(errors as unknown as Readonly<Record<string, Made>>).map(
  ([name, made]) => [name, made as unknown as ErrorClass] as const
)
