import { Effect, Layer } from "effect"
import { ConflictEnded, ConflictMoved, StateError } from "../../state/error.ts"
import { StateConflictClosed } from "../../state/event.ts"
import type { StateFailure } from "../../state/parts.ts"
import { States } from "../../state/states.ts"
import type { ExpiredConflict } from "../../state/store.ts"
import { decideConflict } from "./deciding.ts"
import { noted, whileOpen } from "./finding.ts"

/** How often conflicts are looked for whose time is over, in ms. */
const EXPIRE_EVERY_MS = 60_000

/** How many are taken at a time. */
const AT_ONCE = 500

/** Who decides what nobody has decided in time. */
const EXPIRY = "expiry"
const REASON = "nobody has decided it in time"

/** Decides a conflict as was declared, or marks it. */
const expire = (
  states: States["Service"],
  { id, use }: ExpiredConflict
): Effect.Effect<unknown, StateFailure> =>
  use === null
    ? whileOpen(states.parts, id, (seen) => {
        const event = StateConflictClosed.make({ why: "expired", digest: seen.entry.conflict.digest ?? "" })
        return noted(states.parts, seen, event, { actor: EXPIRY, reason: REASON })
      })
    : decideConflict(states, id, { use }, { by: EXPIRY, reason: REASON, finish: true })

/** Another engine was faster, or there is something else to decide by now. */
const isOver = (failure: StateFailure): boolean =>
  failure instanceof StateError &&
  (failure.reason instanceof ConflictEnded || failure.reason instanceof ConflictMoved)

/** Ends conflicts that are open for longer than was declared, by events; several engines may do so at once, and nothing is ended twice. How many. */
export const expireConflicts = Effect.fnUntraced(function* (
  states: States["Service"],
  atOnce = AT_ONCE
): Effect.fn.Return<number, StateFailure> {
  const { store } = states.parts
  let ended = 0
  let last: ExpiredConflict | undefined
  for (;;) {
    const found: ReadonlyArray<ExpiredConflict> = yield* store.expiredConflicts(atOnce, last)
    // What cannot be ended, as where an agent is not there any more, keeps nothing else from it.
    for (const one of found) {
      const result = yield* Effect.result(expire(states, one))
      if (result._tag === "Success") ended += 1
      else if (!isOver(result.failure))
        yield* Effect.logWarning("a conflict cannot be ended", { ...one, cause: result.failure })
    }
    if (found.length < atOnce) return ended
    last = found.at(-1)
  }
})

/** Has it done as long as the engine is there. A standby, or a role that may only read, leaves that to others. */
export const expiringConflicts: Layer.Layer<never, never, States> = Layer.effectDiscard(
  Effect.gen(function* () {
    const states = yield* States
    const once = Effect.ignore(expireConflicts(states))
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(EXPIRE_EVERY_MS), once)))
  })
)
