import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import * as effectFace from "../src/effect.ts"
import * as errors from "../src/errors.ts"
import * as promiseFace from "../src/index.ts"
import { ConsumerReason } from "../src/consumer/error.ts"
import { StateReason } from "../src/state/error.ts"
import { LogReason } from "../src/log/error.ts"
import { ConnectionReason } from "../src/postgres/connection-error.ts"
import { EmbeddedReason } from "../src/postgres/embedded/embedded-error.ts"
import { PostgresReason } from "../src/postgres/error.ts"
import { MigrationReason } from "../src/postgres/migrate.ts"
import { ProjectionReason } from "../src/projection/error.ts"

const source = fileURLToPath(new URL("../src/", import.meta.url))

const textOf = (file: string): string => readFileSync(path.join(source, file), "utf8")

/** Callers of promises never see these: they catch the reason, or the type is of promises. */
const wrappers = [
  "LogError",
  "PostgresError",
  "ConnectionError",
  "EmbeddedError",
  "MigrationError",
  "ProjectionError",
  "ConsumerError",
  "StateError"
]
const ofPromises = [
  "DurableOptions",
  "DurableSubscription",
  "Engine",
  "PromisedOperations",
  "ReadModel",
  "SubscriptionControl",
  "Tx"
]

/** What emits, reads, transactions, handlers and queries reject with while all is set up as it should be. */
const decidedBy = [
  "AccessDenied",
  "Busy",
  "ConnectionLost",
  "Contention",
  "DuplicateEvent",
  "HandlerFailed",
  "InvalidArgument",
  "InvalidData",
  "InvalidEvent",
  "InvalidInput",
  "InvalidName",
  "LockTimeout",
  "LogRewound",
  "OutcomeUnknown",
  "ProjectionBehind",
  "ProjectionStopped",
  "ReadOnly",
  "Rejected",
  "RolledBack",
  "StatementTimeout",
  "TransactionEnded",
  "Unavailable",
  "UniqueViolation",
  "Unreachable",
  "UpcastFailed",
  "VersionConflict"
]

type Class = abstract new (...given: Array<never>) => unknown

const exported = errors as unknown as Readonly<Record<string, Class>>

/** Each error class with its tag, as the source declares it. */
const declared = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) => [
    ...textOf(file).matchAll(/class (\w+) extends Schema\.TaggedError<\w+>\(\)\(\s*"(\w+)"/g)
  ])
  .map(([, name, tag]) => ({ name: name!, tag: tag! }))

const unions = {
  LogReason,
  PostgresReason,
  ConnectionReason,
  EmbeddedReason,
  MigrationReason,
  ProjectionReason,
  ConsumerReason,
  StateReason
}

const namesIn = (file: string): ReadonlyArray<string> =>
  [...textOf(file).matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap((match) =>
    match[1]!
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== "")
  )

describe("the errors", () => {
  test("are each a class whose tag is its name, and no two have the same", () => {
    expect(declared.length).toBeGreaterThan(40)
    expect(declared.filter(({ name, tag }) => name !== tag)).toEqual([])
    expect(declared.map(({ tag }) => tag)).toHaveLength(new Set(declared.map(({ tag }) => tag)).size)
  })

  test("are all exported by name, without the wrappers, which no caller of promises meets", () => {
    const wanted = declared.map(({ name }) => name).filter((name) => !wrappers.includes(name))
    expect(Object.keys(errors).toSorted()).toEqual(wanted.toSorted())
  })

  test.each(Object.entries(unions))("of %s are those very classes", (_, union) => {
    const reasons: ReadonlyArray<Class> = union.members
    for (const reason of reasons) expect(exported[reason.name]).toBe(reason)
  })

  test("of the main entry are those that a program decides by, and the same classes", () => {
    const shared = Object.entries(promiseFace).filter(([name]) => name in errors)
    expect(shared.map(([name]) => name).toSorted()).toEqual(decidedBy)
    for (const [name, value] of shared) expect(exported[name]).toBe(value)
  })
})

describe("the Effect face", () => {
  test("has the values of the promise face, except for `open` and the reasons, which are caught by tag", () => {
    const wanted = Object.entries(promiseFace).filter(([name]) => name !== "open" && !(name in errors))
    expect(wanted.length).toBeGreaterThan(4)
    for (const [name, value] of wanted) expect([name, Reflect.get(effectFace, name)]).toEqual([name, value])
  })

  test("has the types of the promise face, except for those of promises", () => {
    const given = namesIn("effect.ts")
    const wanted = namesIn("index.ts").filter(
      (name) => name !== "open" && !(name in errors) && !ofPromises.includes(name)
    )
    expect(wanted.filter((name) => !given.includes(name))).toEqual([])
  })

  test("has the wrapper of every floor, and the errors that have none", () => {
    const alone = [
      "HandlerFailed",
      "HandlingCut",
      "InvalidConfiguration",
      "InvalidIdentifier",
      "NoDatabase",
      "PositionsExhausted",
      "UnsoundSequence"
    ]
    for (const name of [...wrappers, ...alone]) expect(effectFace).toHaveProperty(name)
  })
})
