import { Effect } from "effect"
import type { Conflicting } from "../state/error.ts"
import { StateSyncLeft } from "../state/event.ts"
import { pointerOfKey } from "../state/change/writing.ts"
import { keyOfConflict } from "../state/merging/combining.ts"
import { nameOfStrategy } from "../state/merging/pending-merge.ts"
import { agentLabel, syncStream } from "../state/name.ts"
import { metaOf, type StateFailure } from "../state/parts.ts"
import { type Pair, placeOf, tookMs } from "./pair.ts"

/** What is left because of a conflict: a key, or all of a tier that would not be what it is declared to be. */
const pathLeft = (conflict: Conflicting): string =>
  conflict.kind === "constraint" ? conflict.path : pointerOfKey(keyOfConflict(conflict))

/**
 * Writes down what was not taken over; of values that are too large for an event, where they are. What keeps a target from being written may
 * keep this from being written, too: the caller is told in any case.
 */
export const leave = (
  pair: Pair,
  conflicts: ReadonlyArray<Conflicting>,
  failed: string | undefined
): Effect.Effect<void> => {
  const short = conflicts.map(({ path, kind, changed, digest }): Conflicting => ({
    path,
    kind,
    ...(changed === undefined ? {} : { changed }),
    ...(digest === undefined ? {} : { digest })
  }))
  return Effect.ignore(Effect.catch(written(pair, conflicts, failed), () => written(pair, short, failed)))
}

const written = (
  pair: Pair,
  conflicts: ReadonlyArray<Conflicting>,
  failed: string | undefined
): Effect.Effect<unknown, StateFailure> => {
  const { sync, link, source, target, how, by } = pair
  const { agent, branch } = target.name
  const keys = failed === undefined ? conflicts.map(pathLeft) : [...source.values.keys()].map(pointerOfKey)
  const event = StateSyncLeft.make(
    {
      source: placeOf(source),
      target: { agent, name: branch },
      keys: [...new Set(keys)],
      strategy: nameOfStrategy(how.strategy),
      ...(link === undefined ? {} : { link }),
      conflicts: conflicts.map((conflict) => JSON.parse(JSON.stringify(conflict)) as Record<string, never>),
      ...(how.rules.length === 0
        ? {}
        : { rules: how.rules.map((rule) => JSON.parse(JSON.stringify(rule)) as Record<string, never>) }),
      ...(failed === undefined ? {} : { failed }),
      durationMs: tookMs(pair)
    },
    { labels: [agentLabel(source.scene.name.agent), agentLabel(agent)] }
  )
  return target.parts.log.emit(syncStream(sync), event, { meta: metaOf(by) ?? {} })
}
