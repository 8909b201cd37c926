import { Effect, type Scope } from "effect"
import { AccessDenied, PostgresError, Unreachable } from "../../postgres/error.ts"
import { statement } from "../../postgres/sql-file.ts"
import type { RebuildParts } from "./build.ts"

/** How long an engine that is not heard of by the fleet waits for that, in ms. */
const JOIN_MS = 10_000

/** What is to be allowed: to make tables in the log's schema, or only to be heard of in the fleet. */
export type Right = "may_write_schema" | "may_join_fleet"

const REFUSAL: Readonly<Record<Right, string>> = {
  may_write_schema: "this role may not make tables in the schema of the log, or the server is a standby",
  may_join_fleet:
    "this role may not say in the log's table of engines what it is at, as a writer's may, or the server is a standby"
}

/** Until the fleet knows that this engine is alive: what it builds would be taken for left behind. For the time of the scope. */
export const joined = (
  { fleet, postgres }: RebuildParts,
  name: string,
  right: Right
): Effect.Effect<void, PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    const { text } = statement(right, postgres.schema)
    const { rows } = yield* postgres.query<Partial<Record<"may_write" | "may_join", boolean>>>(text, [
      postgres.schema
    ])
    if (!Object.values(rows[0]!).includes(true))
      return yield* new PostgresError({ reason: new AccessDenied({ detail: REFUSAL[right] }) })
    let leave = (): void => undefined
    const look = Effect.callback<void>((resume) => {
      leave = fleet.watch({ kind: "projection", name }, () => resume(Effect.void))
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => leave()))
    yield* Effect.timeoutOrElse(look, {
      duration: JOIN_MS,
      orElse: () =>
        Effect.fail(
          new PostgresError({ reason: new Unreachable({ detail: `no sign of life within ${JOIN_MS} ms` }) })
        )
    })
  })
