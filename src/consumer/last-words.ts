import { Effect } from "effect"
import { type Ending, Gone } from "./cursor.ts"
import type { Place, Places } from "./places.ts"

/** How often an owner that leaves tries to write down what is handled. */
const LAST_TRIES = 5

/** How long the last words of an owner may take, in ms. */
const LEAVE_MS = 2_000

/** What is kept of what stopped a partition. */
const stopError = (ending: Ending & { readonly reason: Error & { readonly position: number } }): object => ({
  position: ending.reason.position,
  type: ending.kind === "stopped" ? ending.reason.type : undefined,
  message: ending.reason.message
})

/** What is handled is not handed over again because a connection came or went in this moment. */
const lastMove = async (move: () => Promise<void>): Promise<void> => {
  for (let tries = 0; tries < LAST_TRIES; tries += 1) {
    try {
      return await move()
    } catch (thrown) {
      if (thrown instanceof Gone) return
    }
  }
}

/** What the owner of a partition writes down when it ends: what is handled, where it leaves of itself, and that it is nobody's. */
export const lastWords = (
  ending: Ending,
  {
    place,
    places,
    move
  }: {
    readonly place: () => Place
    readonly places: Places
    readonly move: () => Promise<void>
  }
): Effect.Effect<void> => {
  const kept = ending.kind === "left" ? Effect.promise(() => lastMove(move)) : Effect.void
  const said = Effect.suspend(() =>
    ending.kind === "stopped" || ending.kind === "rewound"
      ? places.stop(place(), stopError(ending))
      : places.release(place())
  )
  return Effect.ignore(Effect.timeoutOption(Effect.andThen(kept, said), LEAVE_MS))
}
