const HIDDEN = "[redacted]"

/** How deep a value is looked into; what lies below is not shown. */
const MAX_DEPTH = 6

const SECRET_NAME =
  /pass(word|wd|phrase|file)|secret|credential|authorization|cookie|api_?-?key|private_?-?key|sslkey|connection_?-?string|database_?-?url/i

/** `scheme://user:password@host`, with whatever a careless password holds up to the last @ before a blank or a quote. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"'`]*:)[^\s"'`]*(@)/gi

/** `password=…` and `"password": "…"`, as in connection strings of keywords, in queries of URLs and in JSON. */
const NAMED_SECRET =
  /((?:pg|ssl)?pass(?:word|wd|phrase)|secret)(["'`]?\s*[=:]\s*)('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s&,;"'`})\]]+)/gi

/** A text without the passwords in it. */
export const redactedText = (text: string): string =>
  text.replace(URL_PASSWORD, `$1${HIDDEN}$2`).replace(NAMED_SECRET, `$1$2${HIDDEN}`)

/** An error as a log shows it: its own fields stay out, because they may hold data. */
export interface PlainError {
  readonly type: string
  readonly message: string
  readonly stack: string | undefined
  readonly code?: string
  readonly cause?: unknown
}

const plainError = (error: Error, depth: number): PlainError => ({
  type: error.name,
  message: redactedText(error.message),
  stack: error.stack === undefined ? undefined : redactedText(error.stack),
  ...("code" in error && typeof error.code === "string" ? { code: error.code } : {}),
  ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) })
})

const plain = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return redactedText(value)
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function")
    return String(value)
  if (typeof value !== "object" || value === null) return value
  if (depth > MAX_DEPTH) return "…"
  if (value instanceof Error) return plainError(value, depth)
  if (value instanceof Date) return value
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
