import type { Effect, Schema } from "effect"
import type { LogError } from "../log/error.ts"
import type { Appended, Meta, NewEvent, Part } from "../log/event.ts"
import type { EmitOptions } from "../log/transaction.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { ProjectionError } from "./error.ts"
import type { SqlSource } from "./sql-source.ts"

/** What an operation may use. */
export interface OperationContext {
  readonly emit: (
    stream: string,
    events: NewEvent | ReadonlyArray<NewEvent>,
    options?: EmitOptions
  ) => Effect.Effect<Appended, LogError>
  readonly emitAll: (
    parts: ReadonlyArray<Part>,
    options?: { readonly meta?: Meta }
  ) => Effect.Effect<ReadonlyArray<Appended>, LogError>
  /**
   * Runs a query of the read model's; the SQL names the log's schema as `:"schema"`. Prepared once per connection; `planned: "anew"` has it
   * planned for the values at hand each time, which a query needs whose filters may be left out: one plan for all values has no index for it.
   */
  readonly query: <Row = Record<string, unknown>>(
    sql: SqlSource,
    params?: ReadonlyArray<unknown>,
    options?: { readonly planned?: "once" | "anew" }
  ) => Effect.Effect<ReadonlyArray<Row>, PostgresError>
}

export type OperationError = LogError | PostgresError | ProjectionError

/** What an operation is, whatever it takes and gives: the form in which surfaces see it. */
export interface AnyOperation {
  /** `<read model>.<verb>`, such as `agents.register`. */
  readonly name: string
  /** A query waits until its projection has read this engine's own writes. */
  readonly kind: "command" | "query"
  /** The names of other read models whose tables a query looks at: it waits for these, too. */
  readonly reads?: ReadonlyArray<string>
  readonly input: Schema.Codec<unknown, unknown>
  readonly output: Schema.Codec<unknown, unknown>
  /** What a caller must be allowed, such as `agents:write`. */
  readonly scope: string
  readonly description: string
  /** An input that works. */
  readonly example: unknown
  readonly run: (input: never, context: OperationContext) => Effect.Effect<unknown, OperationError>
}

/**
 * A command or a query of a read model, declared once: from it come a method of the engine, a command of the CLI and whatever
 * other surface there is. Callers give `Given`; `run` gets `Input`, decoded and with defaults filled in.
 */
export interface Operation<
  Kind extends "command" | "query",
  Input,
  Given,
  Output,
  Encoded
> extends AnyOperation {
  readonly kind: Kind
  readonly input: Schema.Codec<Input, Given>
  readonly output: Schema.Codec<Output, Encoded>
  readonly example: NoInfer<Given>
  readonly run: (
    input: NoInfer<Input>,
    context: OperationContext
  ) => Effect.Effect<NoInfer<Output>, OperationError>
}

/** The operations of a read model, by verb. */
export type Operations = Readonly<Record<string, AnyOperation>>

export const command = <Input, Given, Output, Encoded>(
  operation: Omit<Operation<"command", Input, Given, Output, Encoded>, "kind">
): Operation<"command", Input, Given, Output, Encoded> => ({ ...operation, kind: "command" })

export const query = <Input, Given, Output, Encoded>(
  operation: Omit<Operation<"query", Input, Given, Output, Encoded>, "kind">
): Operation<"query", Input, Given, Output, Encoded> => ({ ...operation, kind: "query" })

export interface OperationOptions {
  /**
   * A query sees everything up to the point that this token names, whichever process wrote it. Not inside a handler or a
   * transaction, where nothing waits for a read model.
   */
  readonly after?: string
}

/** An operation as a function. Its input may be left out where nothing in it is required. */
export type BoundOperation<O extends AnyOperation> = (
  ...args: Record<never, never> extends O["input"]["Encoded"]
    ? [input?: O["input"]["Encoded"], options?: OperationOptions]
    : [input: O["input"]["Encoded"], options?: OperationOptions]
) => Effect.Effect<O["output"]["Type"], OperationError>

/** The operations of a read model as functions, by verb. */
export type Bound<Ops extends Operations> = { readonly [Verb in keyof Ops]: BoundOperation<Ops[Verb]> }
