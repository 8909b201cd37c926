import { Context, type Effect } from "effect"
import type { PostgresError } from "../../postgres/error.ts"
import type { ProjectionError } from "../../projection/error.ts"
import type { Link } from "./link.ts"

/** Where links are kept ready to be found. */
export class LinkStore extends Context.Service<
  LinkStore,
  {
    /** Those that are not over, and of which some of these streams are a member or the hub. */
    readonly touching: (streams: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Link>, PostgresError>
    readonly byIds: (links: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Link>, PostgresError>
    /** Those that are at work. */
    readonly active: Effect.Effect<ReadonlyArray<Link>, PostgresError>
    /** Whether there is any that is not over. */
    readonly isAny: Effect.Effect<boolean, PostgresError>
    /** Until everything up to a position is kept ready. */
    readonly caughtUp: (position: number) => Effect.Effect<void, ProjectionError>
  }
>()("tidemark/sync/link/LinkStore") {}
