import { expect } from "vitest"
import type { Conflict } from "../../../src/state/merge/conflict.ts"
import type { Answer } from "./answer.ts"

/** What an engine tells is what the model has. */
export const agree = (told: unknown, wanted: unknown): void => expect(told).toEqual(wanted)

/** … and more that the model does not have. */
export const agreeIn = (told: object, wanted: object): void => expect(told).toMatchObject(wanted)

export const refusedBy = (tag: string, asked: Promise<unknown>): Promise<void> =>
  expect(asked).rejects.toMatchObject({ _tag: tag })

/** What a method of an engine may return, as far as it is compared. */
export interface Outcome {
  readonly version?: number
  readonly token?: string
  readonly status?: string
  readonly changed?: ReadonlyArray<string>
  readonly conflicts?: ReadonlyArray<Conflict>
}

export interface Failure {
  readonly _tag: string
  readonly paths?: ReadonlyArray<string>
  readonly conflicts?: ReadonlyArray<Conflict>
}

const facts = ({ path, kind, base, ours, theirs }: Conflict) => ({ path, kind, base, ours, theirs })

const factsOf = (conflicts: ReadonlyArray<Conflict>) =>
  conflicts.map(facts).toSorted((one, other) => (one.path < other.path ? -1 : 1))

/** It was done, and the model has that it can be. */
export const toldAlike = (value: Outcome, wanted: Answer): void => {
  if (wanted.tag === "refused")
    throw new Error(`the model refuses it (${wanted.why}), and it was done: ${JSON.stringify(value)}`)
  if (wanted.version !== undefined) expect(value.version).toBe(wanted.version)
  if (wanted.tag === "merge") {
    expect(value.status).toBe(wanted.status)
    expect(factsOf(value.conflicts!)).toEqual(factsOf(wanted.conflicts))
  } else if (wanted.changed !== undefined && value.changed !== undefined)
    expect(value.changed.toSorted()).toEqual(wanted.changed)
}

/** It was refused, and for what the model refuses it. */
export const refusedAlike = (error: Failure, wanted: Answer): void => {
  if (wanted.tag !== "refused" || error._tag !== wanted.why)
    throw new Error(`the model has ${JSON.stringify(wanted)}`, { cause: error })
  if (wanted.paths === undefined) return
  const paths = error.paths ?? error.conflicts!.map(({ path }) => path)
  expect(paths.toSorted()).toEqual(wanted.paths)
}
