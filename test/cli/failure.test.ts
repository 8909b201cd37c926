import { describe, expect, test } from "vitest"
import { ExitCode } from "../../src/cli/exit-code.ts"
import { failure, failureText } from "../../src/cli/failure.ts"
import { classes, clauseOnly, samples } from "../error-samples.ts"

/** What each error of Tidemark ends a command with: a new one belongs here, too. */
const exitCodes: Readonly<Record<string, ExitCode>> = {
  AccessDenied: ExitCode.unavailable,
  AgentStopped: ExitCode.failure,
  AlreadySubscribed: ExitCode.failure,
  ArchiveDamaged: ExitCode.failure,
  ArchiveNotWritten: ExitCode.failure,
  BadConnectionString: ExitCode.usage,
  BinariesMissing: ExitCode.unavailable,
  BranchExists: ExitCode.failure,
  BranchProtected: ExitCode.failure,
  Busy: ExitCode.unavailable,
  CheckpointExpired: ExitCode.failure,
  ConflictEnded: ExitCode.failure,
  ConflictMoved: ExitCode.failure,
  ConnectionLost: ExitCode.unavailable,
  Contention: ExitCode.failure,
  DefinitionChanged: ExitCode.failure,
  DirectoryInUse: ExitCode.unavailable,
  DirectoryNotOurs: ExitCode.unavailable,
  DirectoryUnreachable: ExitCode.unavailable,
  DiskFull: ExitCode.unavailable,
  DuplicateEvent: ExitCode.failure,
  GenerationTooOld: ExitCode.failure,
  HandlerFailed: ExitCode.failure,
  HandlingCut: ExitCode.failure,
  InvalidArgument: ExitCode.usage,
  InvalidChange: ExitCode.failure,
  InvalidConfiguration: ExitCode.usage,
  InvalidData: ExitCode.failure,
  InvalidDefinition: ExitCode.failure,
  InvalidEvent: ExitCode.failure,
  InvalidIdentifier: ExitCode.usage,
  InvalidInput: ExitCode.failure,
  InvalidName: ExitCode.usage,
  InvalidRules: ExitCode.failure,
  LinkEnded: ExitCode.failure,
  LockTimeout: ExitCode.failure,
  LogRewound: ExitCode.failure,
  MaintenanceUnderWay: ExitCode.failure,
  MergeEnded: ExitCode.failure,
  MergeUnresolved: ExitCode.failure,
  MigrationChanged: ExitCode.failure,
  NoDatabase: ExitCode.usage,
  NoFreePort: ExitCode.unavailable,
  NoGenerationKept: ExitCode.failure,
  NoRoom: ExitCode.unavailable,
  NoServerUser: ExitCode.unavailable,
  NotAllowed: ExitCode.failure,
  NotAsExpected: ExitCode.failure,
  NotFastForward: ExitCode.failure,
  NotFound: ExitCode.failure,
  NotParked: ExitCode.failure,
  OlderDefinition: ExitCode.failure,
  OtherMajorVersion: ExitCode.unavailable,
  OutcomeUnknown: ExitCode.failure,
  ParentCorrupt: ExitCode.failure,
  PatchRefused: ExitCode.failure,
  PositionsExhausted: ExitCode.failure,
  ProjectionBehind: ExitCode.failure,
  ProjectionStopped: ExitCode.failure,
  ReadOnly: ExitCode.failure,
  RebuildDiffers: ExitCode.failure,
  RebuildFailed: ExitCode.failure,
  RebuildLost: ExitCode.failure,
  RebuildUnderWay: ExitCode.failure,
  Rejected: ExitCode.failure,
  ReplicaBehind: ExitCode.failure,
  RetentionUnderWay: ExitCode.failure,
  RolledBack: ExitCode.failure,
  SchemaFromTheFuture: ExitCode.failure,
  SchemaInUse: ExitCode.failure,
  ServerDidNotStart: ExitCode.unavailable,
  ServerTooOld: ExitCode.failure,
  StateConflict: ExitCode.failure,
  StateCorrupt: ExitCode.failure,
  StateInvalid: ExitCode.failure,
  StatementTimeout: ExitCode.failure,
  SubscriptionChanged: ExitCode.failure,
  SubscriptionDeleted: ExitCode.failure,
  SubscriptionStopped: ExitCode.failure,
  TagExists: ExitCode.failure,
  TlsFileUnreadable: ExitCode.usage,
  TlsRefused: ExitCode.unavailable,
  TlsUnverified: ExitCode.unavailable,
  TokenTooOld: ExitCode.failure,
  TransactionEnded: ExitCode.failure,
  Unavailable: ExitCode.unavailable,
  UniqueViolation: ExitCode.failure,
  UnknownBranch: ExitCode.failure,
  UnknownCheckpoint: ExitCode.failure,
  UnknownConflict: ExitCode.failure,
  UnknownLink: ExitCode.failure,
  UnknownMerge: ExitCode.failure,
  UnknownProjection: ExitCode.failure,
  UnknownRef: ExitCode.failure,
  UnknownSubscription: ExitCode.failure,
  Unreachable: ExitCode.unavailable,
  UnsoundSequence: ExitCode.failure,
  UpcastFailed: ExitCode.failure,
  VersionConflict: ExitCode.failure,
  ViewsInTheWay: ExitCode.failure,
  WebhookFailed: ExitCode.failure,
  WhatIfUnderWay: ExitCode.failure
}

describe("what a command ends with", () => {
  test("is known for each error that there is", () => {
    expect(Object.keys(exitCodes).toSorted()).toEqual(classes.map(([name]) => name).toSorted())
  })

  test.each(classes)(
    "for %s is its own number and message, and nothing about where it came from",
    (name, of) => {
      for (const error of samples(of, clauseOnly)) {
        const failed = failure(error, false)
        expect(failed).toEqual({ name, message: error.message, exitCode: exitCodes[name] })
        expect(failureText(failed, false)).toBe(`error: ${error.message}`)
        expect(JSON.parse(failureText(failed, true))).toEqual({ error: { name, message: error.message } })
      }
    }
  )

  test("for what nobody expected is 1, and says how to learn more", () => {
    const failed = failure(new TypeError("undefined"), false)
    expect(failed).toMatchObject({ name: "TypeError", exitCode: ExitCode.failure })
    expect(failed.message).toContain("undefined")
    expect(failed.message).toContain("--verbose")
  })

  test("shows where it came from where that was asked for, also to programs on one line", () => {
    const failed = failure(new TypeError("undefined", { cause: new Error("first") }), true)
    expect(failureText(failed, false)).toMatch(
      /^error: TypeError: undefined\n +at [^]*caused by Error: first/
    )
    const text = failureText(failed, true)
    expect(text).not.toContain("\n")
    expect(JSON.parse(text)).toMatchObject({ error: { name: "TypeError", message: "undefined" } })
    expect(text).toContain("caused by Error: first")
  })

  test("says nothing that would steer the terminal, whatever was said to it", () => {
    const failed = failure(new TypeError("a\u001b[2J\u009b2Jb"), false)
    expect(failureText(failed, false)).toContain("a [2J 2Jb")
    const text = failureText(failed, true)
    expect(text).toContain(String.raw`a\u001b[2J\u009b2Jb`)
    expect(JSON.parse(text)).toMatchObject({ error: { message: failed.message } })
  })
})
