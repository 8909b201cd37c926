/** What a setting may be, and how a variable's text is read. */
export type Kind =
  | {
      readonly kind: "text"
      readonly isSecret?: boolean
      /** Why a text is none for it, without telling a secret. */
      readonly problem?: (text: string) => string | undefined
    }
  | { readonly kind: "whole"; readonly least: number; readonly most: number; readonly unit?: Unit }
  | { readonly kind: "flag" }
  | { readonly kind: "choice"; readonly of: ReadonlyArray<string> }
  /** What code and files say as a whole; `shape` is what it is, in words. */
  | {
      readonly kind: "data"
      readonly shape: string
      readonly problem: (value: unknown) => string | undefined
    }
  /** What only code, and a file that is code, can say. */
  | { readonly kind: "code" }

export type Unit = "ms" | "bytes" | "connections" | "days"

/** An environment variable that says a setting. */
export interface Variable {
  readonly name: string
  /** It counts in seconds what the setting counts in ms. */
  readonly inSeconds?: boolean
}

/** Something that may be configured, declared once: for the environment, for files, for code and for the reference page. */
export interface Setting {
  /** As code and files name it: `poolSize`, or `database.host` for a part. */
  readonly name: string
  readonly what: string
  readonly kind: Kind
  /** In words. */
  readonly fallback: string
  readonly variables: ReadonlyArray<Variable>
  /** The setting without which it means nothing. */
  readonly needs?: string
}

export const MS_PER_SECOND = 1_000

/** A value as messages may show it. */
const shown = (value: unknown): string => (typeof value === "function" ? "a function" : JSON.stringify(value))

const range = ({ least, most, unit }: Kind & { readonly kind: "whole" }): string =>
  `a whole number from ${least} to ${most}${unit === undefined ? "" : ` (${unit})`}`

/** Why a value is none for a setting, or undefined. */
export const valueProblem = ({ kind: asked }: Setting, value: unknown): string | undefined => {
  switch (asked.kind) {
    case "text":
      if (typeof value === "string") return asked.problem?.(value)
      return asked.isSecret === true ? "is no text" : `is ${shown(value)}: give a text`
    case "whole": {
      const isWithin =
        Number.isSafeInteger(value) && Number(value) >= asked.least && Number(value) <= asked.most
      return isWithin ? undefined : `is ${shown(value)}: give ${range(asked)}`
    }
    case "flag":
      return typeof value === "boolean" ? undefined : `is ${shown(value)}: give true or false`
    case "choice":
      return asked.of.includes(value as string)
        ? undefined
        : `is ${shown(value)}: give one of ${asked.of.join(", ")}`
    case "data":
      return asked.problem(value)
    case "code":
      return undefined
  }
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["off", false]
])

/** What a variable's text says; the text itself, where it says nothing that the setting may be. */
export const valueOfText = ({ kind }: Setting, { inSeconds = false }: Variable, text: string): unknown => {
  const trimmed = text.trim()
  if (kind.kind === "whole" && /^[+-]?\d+(?:\.\d+)?$/.test(trimmed))
    return inSeconds ? Math.round(Number(trimmed) * MS_PER_SECOND) : Number(trimmed)
  if (kind.kind === "flag") return FLAGS.get(trimmed.toLowerCase()) ?? trimmed
  return kind.kind === "choice" ? trimmed : text
}
