import { failureType } from "../log/telemetry.ts"

const HIDDEN = "[redacted]"

/** How deep a value is looked into; what lies below is not shown. */
const MAX_DEPTH = 6

const SECRET_NAME =
  /pass(word|wd|phrase|file)|secret|credential|authorization|cookie|api_?-?key|private_?-?key|sslkey|connection_?-?string|database_?-?url/i

/** `scheme://user:password@host`, with whatever a careless password holds up to the last @ before a blank or a quote. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'`]*:)[^\s"'`]*(@)/gi

/** `password=…` and `"password": "…"`, as in connection strings of keywords, in queries of URLs and in JSON. */
const NAMED_SECRET =
  /((?:pg|ssl)?pass(?:word|wd|phrase)|secret)(["'`]?\s*[=:]\s*)(\[redacted\]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s&,;"'`})\]]+)/gi

/** A text without the passwords in it. */
export const redactedText = (text: string): string =>
  text.replace(URL_PASSWORD, `$1${HIDDEN}$2`).replace(NAMED_SECRET, `$1$2${HIDDEN}`)

/** Its own fields stay out, because they may hold data. */
const plainError = (error: Error, depth: number): object => ({
  type: failureType(error),
  message: redactedText(error.message),
  stack: redactedText(error.stack ?? ""),
  ...codeOf(error),
  ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) })
})

const codeOf = (error: Error): { readonly code?: string } =>
  "code" in error && typeof error.code === "string" ? { code: error.code } : {}

const plain = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return redactedText(value)
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function")
    return String(value)
  if (typeof value !== "object" || value === null) return value
  if (depth > MAX_DEPTH) return "…"
  if (value instanceof Error) return plainError(value, depth)
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET_NAME.test(name) ? HIDDEN : plain(inner, depth + 1)
    ])
  )
}

/** A copy of a value that is fit for a log: no passwords, no cycles, no functions. */
export const redacted = (value: unknown): unknown => plain(value, 0)

/** A copy of what was thrown that is fit for a log, and still an error for whoever serialises errors. */
export const redactedError = (thrown: unknown, depth = 0): Error => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const goesOn = error.cause instanceof Error && depth < MAX_DEPTH
  const copy = new Error(
    redactedText(error.message),
    goesOn ? { cause: redactedError(error.cause, depth + 1) } : {}
  )
  Object.defineProperties(copy, {
    name: { value: failureType(error) },
    stack: { value: redactedText(error.stack ?? "") },
    // Serialisers name an error by its constructor, where it has one.
    constructor: { value: undefined }
  })
  return Object.assign(copy, codeOf(error))
}
