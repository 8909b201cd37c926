import type { Effect } from "effect"
import { isUuid } from "../base/uuid.ts"
import { UnknownConflict } from "../state/error.ts"
import type { Resolution } from "../state/merge/resolve.ts"
import type { ResolveOptions } from "../state/merging/resolving.ts"
import type { States } from "../state/states.ts"
import { assignConflict } from "../sync/conflicts/assigning.ts"
import { decideConflict, type DecideOptions, type Resolved } from "../sync/conflicts/deciding.ts"
import type { PromisedOperations } from "./engine.ts"
import type { BoundReadModels } from "./read-models.ts"

type Inbox = PromisedOperations<BoundReadModels["states"]>["inbox"]

/** The conflicts of synchronisations and pending merges, for whoever decides: a person, an agent or a rule. Each is known by an id. */
export interface EngineConflicts {
  /**
   * Conflicts, the newest first: of an agent on either side, an assignee, a status, a kind; 100 of them, up to a `limit` of 1 000. Each with both
   * values and the base, who and why, and the rule that did not fit. Rejects with InvalidInput.
   */
  readonly list: Inbox
  /** One of them. Rejects with UnknownConflict. */
  readonly get: (id: string) => Promise<Awaited<ReturnType<Inbox>>[number]>
  /**
   * Decides an open conflict: by `ours` (what the target has), `theirs`, the `base` or a value. Of a synchronisation, the key is brought into the target
   * as was decided, once all of its conflicts are; what was decided is in the log before that, and counts for every synchronisation that meets
   * the same conflict. Of a merge, it is finished with `finish`, where this was the last one. Rejects with UnknownConflict, ConflictEnded (somebody
   * was faster), ConflictMoved (the values have changed: look again), StateInvalid (the target would not be what its type declares),
   * InvalidArgument, UnknownBranch; with `finish` as that of a merge does.
   */
  readonly resolve: (id: string, resolution: Resolution, options?: DecideOptions) => Promise<Resolved>
  /** Says who is to decide an open conflict: an agent, a person; null for nobody in particular. Rejects with UnknownConflict, ConflictEnded, InvalidArgument. */
  readonly assign: (id: string, assignee: string | null, options?: ResolveOptions) => Promise<void>
}

/** The inbox, as promises. */
export const promisedConflicts = (
  states: States["Service"],
  list: Inbox,
  run: <A>(effect: Effect.Effect<A, unknown>) => Promise<A>
): EngineConflicts => ({
  list,
  get: async (id) => {
    const [entry] = isUuid(id) ? await list({ id }) : []
    if (entry === undefined) throw new UnknownConflict({ conflict: String(id) })
    return entry
  },
  resolve: (id, resolution, options) => run(decideConflict(states, id, resolution, options)),
  assign: (id, assignee, options) => run(assignConflict(states, id, assignee, options))
})
