import { Effect, Layer } from "effect"
import { Postgres } from "../../src/postgres/postgres.ts"
import { statementOf, withSchema } from "../../src/postgres/sql-file.ts"
import { Projections } from "../../src/projection/projections.ts"
import { readSql, type SqlSource } from "../../src/projection/sql-source.ts"
import type { Link } from "../../src/sync/link/link.ts"
import { LinkStore } from "../../src/sync/link/store.ts"
import { links } from "./links.ts"

/** Links, as the read model has them. */
export const linkStore = Layer.effect(
  LinkStore,
  Effect.gen(function* () {
    const postgres = yield* Postgres
    const projections = yield* Projections
    const asking = <Row>(file: SqlSource) => {
      const { text, name } = statementOf(withSchema(readSql(file), postgres.schema))
      return (...values: ReadonlyArray<unknown>) =>
        Effect.map(postgres.query<Row>(text, values, { name }), ({ rows }) => rows)
    }
    const touching = asking<Link>("#projections/links/touching.sql")
    const byIds = asking<Link>("#projections/links/by-ids.sql")
    const active = asking<Link>("#projections/links/active.sql")
    const any = asking<{ readonly isAny: boolean }>("#projections/links/any.sql")
    return LinkStore.of({
      touching: (streams) => touching(streams),
      byIds: (ids) => byIds(ids),
      active: active(),
      isAny: Effect.map(any(), ([row]) => row!.isAny),
      caughtUp: (position) => projections.reached(links.name, position)
    })
  })
)
