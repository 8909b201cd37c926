import { Effect } from "effect"
import type { PostgresError } from "../postgres/error.ts"
import type { Connection } from "../postgres/postgres.ts"
import { statement } from "../postgres/sql-file.ts"
import { isGoneFromHere } from "./process-place.ts"

/** Something that one engine of the fleet does at a time: fold a projection, or handle a partition of a subscription. */
export interface Post {
  readonly kind: "projection" | "subscription"
  readonly name: string
}

/** How one part of a post stands; a projection has one, which is 0. */
export interface Standing {
  readonly part: number
  /** Grows when it changes hands, and when somebody takes it from its owner. */
  readonly epoch: number
  /** How far it is. */
  readonly position: number
  readonly isMine: boolean
  /** Nobody who is alive owns it. */
  readonly isFree: boolean
  /** It is this engine's, and events that it holds are to be tried again by now. */
  readonly isDue: boolean
}

/** How a post stands. */
export interface Look {
  readonly parts: ReadonlyArray<Standing>
  /** How many engines that are alive share its parts; 0 for a projection. */
  readonly members: number
  /** How many of them joined before this one; undefined where it is none of them. */
  readonly rank: number | undefined
  /** Somebody changes the subscription in this moment, and waits for those who are at work on it. */
  readonly isChanging: boolean
}

/** The engine that something belongs to. */
export interface Owner {
  readonly engine: string
  readonly application: string
  readonly host: string
  readonly pid: number
}

/** Who an engine is, for those who look at the fleet. */
export interface Card extends Owner {
  readonly process: string | undefined
}

/** What one sign of life told of the posts. */
export interface Sighting {
  readonly looks: ReadonlyMap<string, Look>
  /** When the first of the other owners is gone unless it is heard of again, in ms; infinite where there is none. */
  readonly soonestMs: number
  /** Owners that were processes of this machine and are no more, though their leases go on. */
  readonly gone: ReadonlySet<string>
}

interface PostRow extends Post {
  readonly part: number
  readonly epoch: number
  readonly position: string
  readonly owner: string | null
  readonly process: string | null
  readonly is_mine: boolean | null
  readonly left_ms: number | null
  readonly members: number
  readonly rank: number | null
  readonly is_changing: boolean
  readonly is_due: boolean | null
}

export const keyOf = ({ kind, name }: Post): string => `${kind} ${name}`

const standing = (row: PostRow): Standing => {
  const isMine = row.is_mine === true
  return {
    part: row.part,
    epoch: row.epoch,
    position: Number(row.position),
    isMine,
    isFree: !isMine && (row.left_ms === null || row.left_ms <= 0),
    isDue: row.is_due === true
  }
}

/** How long an engine is taken for alive, and how soon the server must answer, in ms. */
export interface Terms {
  readonly leaseMs: number
  readonly answerTimeoutMs: number
}

/** Says that an engine is alive, and looks how the posts stand. */
export const signOfLife = (
  connection: Connection,
  schema: string,
  card: Card,
  { leaseMs, answerTimeoutMs }: Terms,
  posts: ReadonlyArray<Post>
): Effect.Effect<Sighting, PostgresError> => {
  const { text, name } = statement("keep_engine", schema)
  const namesOf = (kind: Post["kind"]) => posts.filter((post) => post.kind === kind).map((post) => post.name)
  const { engine, application, host, pid, process = null } = card
  const watched = [namesOf("projection"), namesOf("subscription")]
  const values = [engine, application, host, pid, leaseMs, ...watched, process]
  return Effect.map(connection.query<PostRow>(text, values, { name, answerTimeoutMs }), ({ rows }) => {
    const looks = new Map<string, Look & { readonly parts: Array<Standing> }>()
    for (const post of posts)
      looks.set(keyOf(post), { parts: [], members: 0, rank: undefined, isChanging: false })
    let soonestMs = Number.POSITIVE_INFINITY
    const gone = new Set<string>()
    for (const row of rows) {
      const parts = looks.get(keyOf(row))?.parts ?? []
      parts.push(standing(row))
      const { members, rank, is_changing: isChanging } = row
      looks.set(keyOf(row), { parts, members, rank: rank ?? undefined, isChanging })
      if (row.is_mine === true || row.left_ms === null || row.left_ms <= 0) continue
      soonestMs = Math.min(soonestMs, row.left_ms)
      if (row.process !== null && isGoneFromHere(row.process)) gone.add(row.owner!)
    }
    return { looks, soonestMs, gone }
  })
}
