import { Effect, Result, Schema } from "effect"
import { mayWaitForWrites } from "../log/causation.ts"
import { WithinTransaction } from "../log/ambient.ts"
import { InvalidInput, projectionError } from "./error.ts"
import type {
  AnyOperation,
  Bound,
  OperationContext,
  OperationError,
  OperationOptions,
  Operations
} from "./operation.ts"

/** What operations are bound to: one projection of one engine. */
export interface Binding extends OperationContext {
  /** Until the projection, and others by name, have read this engine's own writes, and the point of the token where there is one. */
  readonly caughtUp: (
    after: string | undefined,
    others: ReadonlyArray<string>
  ) => Effect.Effect<void, OperationError>
}

type Run = (input: unknown, context: OperationContext) => Effect.Effect<unknown, OperationError>

const bound = (operation: AnyOperation, binding: Binding) => {
  const decode = Schema.decodeUnknownResult(operation.input, { onExcessProperty: "error" })
  const run = operation.run as Run
  return (given: unknown = {}, options: OperationOptions = {}): Effect.Effect<unknown, OperationError> => {
    // Read here, since the thread of the caller's calls is lost at an effect's first wait.
    const mayWait = mayWaitForWrites()
    return Effect.suspend(() => {
      const input = decode(given)
      if (Result.isFailure(input)) {
        const problem = input.failure.message
        const example = JSON.stringify(operation.example)
        return Effect.fail(projectionError(new InvalidInput({ operation: operation.name, problem, example })))
      }
      const running = run(input.success, binding)
      if (operation.kind === "command" || !mayWait) return running
      const waiting = Effect.flatMap(WithinTransaction, (isWithin) =>
        isWithin() ? Effect.void : binding.caughtUp(options.after, operation.reads ?? [])
      )
      return Effect.andThen(waiting, running)
    })
  }
}

/** Makes each operation a function that checks its input; queries see what this engine wrote before. */
export const bind = <Ops extends Operations>(operations: Ops, binding: Binding): Bound<Ops> =>
  Object.fromEntries(
    Object.entries(operations).map(([verb, operation]) => [verb, bound(operation, binding)])
  ) as unknown as Bound<Ops>
