import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { basename, extname, resolve } from "node:path"
import { Effect } from "effect"
import { createJiti } from "jiti"
import { parse } from "yaml"
import { InvalidConfiguration, type Problem } from "./error.ts"
import { givenProblems } from "./given.ts"
import { withMonitoring } from "./monitoring.ts"

/** The files that are looked for in the working directory, where none is named. */
export const FILES: ReadonlyArray<string> = [
  "tidemark.config.ts",
  "tidemark.config.mts",
  "tidemark.config.js",
  "tidemark.config.mjs",
  "tidemark.yaml",
  "tidemark.yml"
]

const CODE: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"])

const DATA: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"])

const invalid = (...problems: ReadonlyArray<Problem>): InvalidConfiguration =>
  new InvalidConfiguration({ problems })

/** What a file that is code exports; it is run. */
const ofCode = async (path: string): Promise<unknown> => {
  const loaded: unknown = await createJiti(import.meta.url, { fsCache: false, moduleCache: false }).import(
    path,
    {
      default: true
    }
  )
  return typeof loaded === "function" ? (loaded as () => unknown)() : loaded
}

/** JSON is YAML. */
const ofData = async (path: string): Promise<unknown> =>
  // A pretty error would quote the line, which may hold a secret.
  parse(await readFile(path, "utf8"), { prettyErrors: false }) ?? {}

const message = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).split("\n")[0]!

/** The file that is there; undefined for none. Fails where several are, since it would be chance which of them counts. */
export const findFile = (directory: string): Effect.Effect<string | undefined, InvalidConfiguration> => {
  const found = FILES.filter((name) => existsSync(resolve(directory, name)))
  if (found.length <= 1) return Effect.succeed(found[0] && resolve(directory, found[0]))
  const problem = "are both there: keep one of them, or name it as `config`, or by TIDEMARK_CONFIG"
  return Effect.fail(invalid({ where: found.join(" and "), problem }))
}

/** What a file says. Fails with InvalidConfiguration where it cannot be read, or names what is no setting. */
export const fromFile = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Readonly<Record<string, unknown>>, InvalidConfiguration> {
  const where = basename(path)
  const ending = extname(path)
  if (!CODE.has(ending) && !DATA.has(ending))
    return yield* invalid({ where, problem: `ends in none of ${[...CODE, ...DATA].join(", ")}` })
  const given = yield* Effect.tryPromise({
    try: async () => (CODE.has(ending) ? await ofCode(path) : await ofData(path)),
    catch: (thrown) => invalid({ where, problem: `cannot be read: ${message(thrown)}` })
  })
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return yield* invalid({
      where,
      problem: "holds no settings: give an object of them, in code as its default export"
    })
  const { values, problems } = withMonitoring(where, given as Readonly<Record<string, unknown>>)
  const all = [...problems, ...givenProblems(where, values)]
  if (all.length > 0) return yield* invalid(...all)
  return values
})
