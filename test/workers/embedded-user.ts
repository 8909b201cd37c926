import { Effect, Exit, Scope } from "effect"
import { EmbeddedError } from "../../src/postgres/embedded/embedded-error.ts"
import { EmbeddedHost } from "../../src/postgres/embedded/host.ts"
import { embeddedServer } from "../../src/postgres/embedded/server.ts"
import { heard, input, say } from "../support/worker.ts"

// A process that uses the embedded server until it is told to leave, to exit, or is killed.

type Input = {
  readonly directory: string
  readonly native?: string
  readonly shelters?: ReadonlyArray<string>
  readonly umask?: number
}

const { directory, native, shelters, umask } = input<Input>()
if (umask !== undefined) process.umask(umask)
const notices: Array<string> = []
const scope = Scope.makeUnsafe()
const defaults = EmbeddedHost.defaultValue()
const host = {
  ...defaults,
  nativeFolder: native === undefined ? defaults.nativeFolder : () => native,
  shelters: shelters ?? defaults.shelters
}

const entering = embeddedServer({ directory, onNotice: (notice) => notices.push(notice) }).pipe(
  Effect.provideService(EmbeddedHost, host),
  Scope.provide(scope)
)

const began = performance.now()
const entered = await Effect.runPromise(Effect.result(entering))
const milliseconds = performance.now() - began
if (entered._tag === "Success") say({ entered: entered.success, notices, milliseconds })
else say({ failed: entered.failure instanceof EmbeddedError ? entered.failure.reason._tag : "unknown" })

heard((value) => {
  if (value === "exit") process.exit()
  void Effect.runPromise(Scope.close(scope, Exit.void)).then(() => {
    say({ left: true })
    process.exit()
  })
})
