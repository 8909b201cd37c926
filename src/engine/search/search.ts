import { Context, Effect, Layer } from "effect"
import { InvalidArgument, type LogError, logError } from "../../log/error.ts"
import type { PostgresError } from "../../postgres/error.ts"
import { Postgres } from "../../postgres/postgres.ts"
import { statement } from "../../postgres/sql-file.ts"
import { asIs } from "../asking.ts"
import { type SearchKind, SOURCES } from "./kinds.ts"
import { requestOf, type SearchOptions, type SearchRequest } from "./options.ts"
import { LIKENESS, thirdsOf } from "./thirds.ts"

/** Something that was found. */
export interface Hit {
  readonly kind: SearchKind
  /** Of an agent, a request for help (of an answer, too), a conversation, a system event; the key of a shared value; of a state, `agent/tier/key`. */
  readonly id: string
  readonly agent: string | null
  /** 200 characters at most. */
  readonly title: string
  /** Where it was found, with marks around the words. It is as it was written: not escaped for HTML. */
  readonly snippet: string
  /** The higher, the better; comparable within one search only. */
  readonly rank: number
  /** When it was made; of agents, shared values and states, when it changed last. */
  readonly at: Date
}

type Found = Omit<Hit, "kind">

interface QueryRow {
  readonly nodes: number
  readonly tree: string
  readonly trigrams: ReadonlyArray<string>
}

/** How many that a query is found in are ranked, of each kind: the newest of them. */
const CANDIDATES = 1_000

/** How many kinds are looked through at once: each takes a connection. */
const AT_ONCE = 3

/** In snippets from the database, where nobody writes them: of Unicode's private use. */
const BEFORE = "\u{E000}"
const AFTER = "\u{E001}"

const HEADLINE = `StartSel=${BEFORE},StopSel=${AFTER},MaxWords=24,MinWords=12,ShortWord=0`

/** What finds everything but some words has no index, and is nothing to rank by. */
const UNINDEXED: ReadonlySet<string> = new Set(["", "T"])

const refused = (problem: string): Effect.Effect<never, LogError> =>
  Effect.fail(logError(new InvalidArgument({ problem })))

const checkWords = ({ nodes, tree }: QueryRow): Effect.Effect<void, LogError> => {
  if (nodes === 0) return refused("The query has no word to look for: give one of letters or digits")
  return UNINDEXED.has(tree)
    ? refused("The query says only what is not wanted: give a word to look for, too")
    : Effect.void
}

const marked = (snippet: string, [before, after]: SearchRequest["marks"]): string =>
  snippet.replaceAll(BEFORE, () => before).replaceAll(AFTER, () => after)

const inKind = (
  kind: SearchKind,
  { text, agent, since, limit, marks }: SearchRequest
): Effect.Effect<ReadonlyArray<Hit>, PostgresError, Postgres> =>
  Effect.map(asIs<Found>(SOURCES[kind], [text, agent, since, CANDIDATES, limit, HEADLINE], "anew"), (rows) =>
    rows.map((found) => ({ kind, ...found, snippet: marked(found.snippet, marks) }))
  )

/** Names that are written much like the query, where nothing has its very words. */
const alike = (
  { kinds, agent, since, limit }: SearchRequest,
  trigrams: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Hit>, PostgresError, Postgres> => {
  const thirds = thirdsOf(trigrams)
  if (thirds === undefined || agent !== null || !kinds.includes("agent")) return Effect.succeed([])
  const values = [...thirds, trigrams, LIKENESS, since, limit]
  return Effect.map(asIs<Found>("#projections/agents/alike.sql", values, "anew"), (rows) =>
    rows.map((found) => ({ kind: "agent" as const, ...found }))
  )
}

const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const byRank = (one: Hit, other: Hit): number =>
  other.rank - one.rank ||
  other.at.getTime() - one.at.getTime() ||
  order(one.kind, other.kind) ||
  order(one.id, other.id)

const searchIn = Effect.fnUntraced(function* (text: string, options: SearchOptions = {}) {
  const request = yield* requestOf(text, options)
  const postgres = yield* Postgres
  const { rows } = yield* postgres.query<QueryRow>(statement("search_query", postgres.schema).text, [text])
  const query = rows[0]!
  yield* checkWords(query)
  const found = yield* Effect.forEach(new Set(request.kinds), (kind) => inKind(kind, request), {
    concurrency: AT_ONCE
  })
  const hits = found.flat().toSorted(byRank).slice(0, request.limit)
  return hits.length > 0 ? hits : yield* alike(request, query.trigrams)
})

/** Looks through what a fleet has written. */
export class Search extends Context.Service<
  Search,
  {
    /** The best hits of a query over all kinds. Fails with InvalidArgument. */
    readonly search: (
      text: string,
      options?: SearchOptions
    ) => Effect.Effect<ReadonlyArray<Hit>, LogError | PostgresError>
  }
>()("tidemark/engine/Search") {
  static readonly layer: Layer.Layer<Search, never, Postgres> = Layer.effect(
    Search,
    Effect.map(Postgres, (postgres) =>
      Search.of({
        search: (text, options) => Effect.provideService(searchIn(text, options), Postgres, postgres)
      })
    )
  )
}
