import type { Effect, Schema } from "effect"
import type { Appended, NewEvent } from "../log/event.ts"
import type { LogError } from "../log/error.ts"
import type { EmitOptions } from "../log/transaction.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionError } from "./error.ts"

/** What an operation may use. */
export interface OperationContext {
  readonly emit: (
    stream: string,
    events: NewEvent | ReadonlyArray<NewEvent>,
    options?: EmitOptions
  ) => Effect.Effect<Appended, LogError>
  /** Runs a query of the read model's, with the log's schema first on the search path. */
  readonly query: <Row = Record<string, unknown>>(
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Row>, PostgresError>
}

export type OperationError = LogError | PostgresError | ProjectionError

/**
 * A command or a query of a read model, declared once: from it come a method of the engine, a command of the CLI and whatever
 * other surface there is.
 */
export interface Operation<
  Kind extends "command" | "query" = "command" | "query",
  Input = never,
  Output = unknown
> {
  /** `<read model>.<verb>`, such as `agents.register`. */
  readonly name: string
  readonly kind: Kind
  readonly input: Schema.Codec<Input, unknown>
  readonly output: Schema.Codec<Output, unknown>
  /** What a caller must be allowed, such as `agents:write`. */
  readonly scope: string
  readonly description: string
  /** An input that works. */
  readonly example: unknown
  readonly run: (input: Input, context: OperationContext) => Effect.Effect<Output, OperationError>
}

/** The operations of a read model, by verb. */
export type Operations = Readonly<Record<string, Operation>>

export const command = <Input, Output>(
  operation: Omit<Operation<"command", Input, Output>, "kind">
): Operation<"command", Input, Output> => ({ ...operation, kind: "command" })

export const query = <Input, Output>(
  operation: Omit<Operation<"query", Input, Output>, "kind">
): Operation<"query", Input, Output> => ({ ...operation, kind: "query" })
