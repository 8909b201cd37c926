import { Effect } from "effect"
import type { MaybeJson } from "../../base/json-value.ts"
import { InvalidArgument, logError } from "../../log/error.ts"
import type { BranchDraft, ChangeFields } from "../branch/draft.ts"
import { tokenAfter } from "./changing.ts"
import { MAX_TTL_MS, StateSessionEnded, StateSessionStarted } from "../event.ts"
import { MAIN } from "../name.ts"
import { unknownBranch } from "../past/refs.ts"
import { type ByWhom, type StateFailure, type StateScene, submit } from "../parts.ts"
import type { KeyId, Tier } from "../tier.ts"
import { beginning, planOfEvent, type Written } from "./writing.ts"

export interface SessionOptions extends ByWhom {
  /** How long it lasts from when it is recorded, in ms, up to 100 years; until it is ended, by default. */
  readonly ttlMs?: number
}

const SESSION: ReadonlyArray<Tier> = ["session"]
const SELECTION = { tiers: SESSION, keys: [] }

/** The session tier, emptied. */
const emptied = (draft: BranchDraft): ReadonlyMap<KeyId, MaybeJson> =>
  new Map(
    Object.keys(draft.values(SESSION).session).map((key): [KeyId, undefined] => [`session/${key}`, undefined])
  )

/** Begins a session: the session tier is empty then. One that was under way ends. */
export const startSession = Effect.fnUntraced(function* (
  scene: StateScene,
  session: string,
  { ttlMs, ...by }: SessionOptions
): Effect.fn.Return<Written, StateFailure> {
  const isFit = typeof session === "string" && session !== ""
  if (!isFit || (ttlMs !== undefined && !(ttlMs > 0 && ttlMs <= MAX_TTL_MS))) {
    const problem = isFit
      ? `ttlMs is ${ttlMs}: give ms above 0, up to ${MAX_TTL_MS}`
      : "A session needs an id: give a text"
    return yield* logError(new InvalidArgument({ problem }))
  }
  const template = yield* scene.parts.definitions.template(scene.agentType)
  return yield* submit(scene, by, SELECTION, (draft) =>
    Effect.map(beginning(scene.name, draft, scene.agentType, template), (first) => {
      const lasting = ttlMs === undefined ? {} : { ttlMs }
      const values = emptied(draft)
      draft.session = session
      const make = (fields: ChangeFields) => StateSessionStarted.make({ ...fields, session, ...lasting })
      return planOfEvent(draft, first, values, make, tokenAfter(scene, draft))
    })
  )
})

/** Ends the session that is under way; nothing is done where there is none. */
export const endSession = (scene: StateScene, by: ByWhom): Effect.Effect<Written, StateFailure> =>
  submit(scene, by, SELECTION, (draft) =>
    Effect.suspend(() => {
      const { session } = draft
      const tokenOf = tokenAfter(scene, draft)
      if (!draft.isLive && scene.name.branch !== MAIN) return Effect.fail(unknownBranch(scene.name))
      if (session === undefined) return Effect.succeed(planOfEvent(draft, [], new Map(), undefined, tokenOf))
      const values = emptied(draft)
      draft.session = undefined
      const make = (fields: ChangeFields) => StateSessionEnded.make({ ...fields, session, why: "ended" })
      return Effect.succeed(planOfEvent(draft, [], values, make, tokenOf))
    })
  )
