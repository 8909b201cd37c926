import type { PoolClient, QueryConfig } from "pg"
import { SqlState } from "./sqlstate.ts"

/** How long a connection may take to say who answers on it, in ms. */
const ANSWER_MS = 5_000

const WHO_ANSWERS = "select pg_backend_pid() as pid"

/** The session that a statement was prepared in is not the one that answers now. */
const LOST_STATEMENT: ReadonlySet<unknown> = new Set([
  SqlState.invalidStatementName,
  SqlState.duplicateStatement
])

/** A statement was refused for its name alone, before anything of it was done. */
export const isLostStatement = (thrown: unknown): boolean =>
  typeof thrown === "object" && thrown !== null && "code" in thrown && LOST_STATEMENT.has(thrown.code)

/**
 * Tells connections to the server itself from those to a pooler, behind which each transaction may run in another session and
 * nothing that a session keeps, a prepared statement above all, can be relied on. A pooler signs its clients in by itself, under
 * a process number of its own making; the server's is that of the process which answers.
 */
export class PoolerWatch {
  private readonly prepares: boolean | undefined
  private readonly asked = new WeakSet<PoolClient>()
  private readonly direct = new WeakMap<PoolClient, boolean>()
  private between = false

  /** `prepares` says whether statements are prepared, whatever is found out. */
  constructor(prepares?: boolean) {
    this.prepares = prepares
  }

  /** A pooler answered on the connection that was asked last. */
  get isBetween(): boolean {
    return this.between
  }

  /** Not before it is known who answers: an unnamed statement is right in any case. */
  mayPrepare(client: PoolClient): boolean {
    return this.prepares ?? this.direct.get(client) === true
  }

  /** Prepares nothing more on this connection, whatever it answered. */
  forbid(client: PoolClient): void {
    this.direct.set(client, false)
  }

  /** Asks who answers on a connection, unless that was asked before. Whatever is sent on it next waits its turn. */
  ask(client: PoolClient): void {
    if (this.asked.has(client)) return
    this.asked.add(client)
    const question: QueryConfig & { readonly query_timeout: number } = {
      text: WHO_ANSWERS,
      query_timeout: ANSWER_MS
    }
    client.query<{ pid: number }>(question, (thrown: unknown, result) => {
      // Without an answer the connection is of no use for long, and statements on it stay unnamed.
      if (thrown != null) return
      const introduced = (client as { readonly processID?: unknown }).processID
      const isDirect = result.rows[0]?.pid === introduced
      this.direct.set(client, isDirect)
      this.between = !isDirect
    })
  }
}
