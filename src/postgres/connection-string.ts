import { Result } from "effect"
import { badConnectionString, type ConnectionError } from "./connection-error.ts"

/** The libpq keywords that are understood; anything else is refused, so that a misspelt `sslmode` never passes. */
export const keywords = [
  "host",
  "port",
  "dbname",
  "user",
  "password",
  "options",
  "application_name",
  "fallback_application_name",
  "connect_timeout",
  "keepalives",
  "keepalives_idle",
  "channel_binding",
  "sslmode",
  "sslnegotiation",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslpassword"
] as const

export type Keyword = (typeof keywords)[number]
export type Keywords = Partial<Record<Keyword, string>>

type Parsed = Result.Result<Keywords, ConnectionError>

const encodingHint =
  "In a URL, percent-encode : / ? # @ % inside a user name or password (@ is %40, / is %2F)"

const bad = (part: string, problem: string) => Result.fail(badConnectionString(part, problem))

const badUrl = (part: string, problem: string) => bad(part, `${problem}. ${encodingHint}`)

export const isKeyword = (name: string): name is Keyword => keywords.some((keyword) => keyword === name)

// Node's driver needs this parameter to give sslmode its libpq meaning; here it has it anyway.
const superfluous = "uselibpqcompat"

// A password may hold an unencoded "@" or "#", as most tools accept it: the last "@" before the first "/" or "?" ends it.
const urlShape =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?]*)(?::(?<password>[^/?]*))?@)?(?<host>\[[^\]/?@]*\]|[^:/?@]*)(?::(?<port>[^/?]*))?(?:\/(?<dbname>[^?]*))?(?:\?(?<parameters>.*))?$/s

const keywordShape =
  /\s*(?<name>[A-Za-z_]+)\s*=\s*(?:'(?<quoted>(?:[^'\\]|\\.)*)'|(?<bare>(?:[^\s'\\]|\\.)*))(?=\s|$)/sy

/**
 * Reads a `postgres://` or `postgresql://` URL, or a libpq keyword string (`host=db dbname=app`).
 * Errors name the part and never repeat it: a mistyped string may hold its password anywhere.
 */
export const parseConnectionString = (input: string): Parsed => {
  const text = input.trim()
  if (/^postgres(?:ql)?:\/\//.test(text)) return parseUrl(text)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return bad("the scheme", "is not postgres:// or postgresql://")
  return parseKeywords(text)
}

const parseUrl = (url: string): Parsed => {
  const groups = urlShape.exec(url)?.groups
  if (groups === undefined)
    return badUrl("the URL", "does not have the form postgres://user:password@host:port/database")
  if (/[/@]/.test(groups["dbname"] ?? "")) return badUrl("the database name", "holds / or @")
  const found: Keywords = {}
  for (const part of ["user", "password", "host", "port", "dbname"] as const) {
    const value = decoded(groups[part] ?? "")
    if (value === undefined) return badUrl(`the ${part}`, "is not valid percent-encoding")
    if (value !== "") found[part] = part === "host" ? value.replace(/^\[(.*)\]$/, "$1") : value
  }
  return Result.map(parseParameters(groups["parameters"] ?? ""), (parameters) => ({
    ...found,
    ...parameters
  }))
}

const parseParameters = (text: string): Parsed => {
  const found: Keywords = {}
  for (const [index, parameter] of text.split("&").entries()) {
    if (parameter === "") continue
    const part = `parameter ${index + 1} of the URL`
    const [name = "", value, ...rest] = parameter.split("=").map(decoded)
    if (name === "" || value === undefined || rest.length > 0)
      return badUrl(part, "is not an encoded name=value")
    if (name === superfluous) continue
    if (name === "ssl" && value === "true") found.sslmode = "require"
    else if (isKeyword(name)) found[name] = value
    else return badUrl(part, `is not known. Known are ${keywords.join(", ")}`)
  }
  return Result.succeed(found)
}

const parseKeywords = (text: string): Parsed => {
  const found: Keywords = {}
  const shape = new RegExp(keywordShape)
  for (let count = 1; shape.lastIndex < text.length; count++) {
    const groups = shape.exec(text)?.groups
    if (groups === undefined) {
      return bad(`setting ${count}`, "is neither keyword=value nor is the whole a postgres:// URL")
    }
    const name = groups["name"] ?? ""
    if (!isKeyword(name)) {
      return bad(`the keyword of setting ${count}`, `is not known. Known are ${keywords.join(", ")}`)
    }
    found[name] = (groups["quoted"] ?? groups["bare"] ?? "").replace(/\\(.)/gs, "$1")
  }
  return Result.succeed(found)
}

/** `undefined` where the percent-encoding is broken or hides a NUL byte, which would cut the value short on the server. */
const decoded = (text: string): string | undefined => {
  try {
    const value = decodeURIComponent(text)
    return value.includes("\0") ? undefined : value
  } catch {
    return undefined
  }
}
