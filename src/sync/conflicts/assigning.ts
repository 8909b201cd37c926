import { Effect } from "effect"
import { InvalidArgument, logError } from "../../log/error.ts"
import { StateConflictAssigned } from "../../state/event.ts"
import { byWhom, type ResolveOptions } from "../../state/merging/resolving.ts"
import type { StateFailure } from "../../state/parts.ts"
import type { States } from "../../state/states.ts"
import { noted, whileOpen } from "./finding.ts"

const MOST_LENGTH = 200

const problemOf = (assignee: unknown): string | undefined => {
  if (assignee === null) return undefined
  const isName = typeof assignee === "string" && assignee.trim() !== "" && assignee.length <= MOST_LENGTH
  return isName
    ? undefined
    : `The assignee ${JSON.stringify(assignee)} is nobody: give up to ${MOST_LENGTH} characters, or null for nobody in particular`
}

/** Says who is to decide an open conflict: an agent, a person, or null. Fails with UnknownConflict, ConflictEnded, InvalidArgument. */
export const assignConflict = (
  { parts }: States["Service"],
  id: string,
  assignee: string | null,
  options: ResolveOptions = {}
): Effect.Effect<void, StateFailure> => {
  const problem = problemOf(assignee)
  if (problem !== undefined) return Effect.fail(logError(new InvalidArgument({ problem })))
  const event = StateConflictAssigned.make(assignee === null ? {} : { assignee })
  return Effect.asVoid(whileOpen(parts, id, (seen) => noted(parts, seen, event, byWhom(options))))
}
