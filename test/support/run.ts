import { inject } from "vitest"
import type { Programs } from "./cluster.ts"
import type { ProviderName } from "./servers/provider.ts"

/** What globalSetup made for the test files of a run. */
export type Run = {
  readonly provider: ProviderName
  /** The URL of the run's one server, of a user who may create databases. */
  readonly url: string
  /** As `server_version_num`: 150018, 180004. */
  readonly version: number
  /** What a private server is made from. */
  readonly programs: Programs
  /** Begins the name of every database of the run. */
  readonly prefix: string
  /** The database that others are copied from. */
  readonly template: string
  /** The compiled test/workers. */
  readonly workers: string
}

declare module "vitest" {
  interface ProvidedContext {
    readonly run: Run
  }
}

/** The run this test file belongs to. */
export const currentRun = (): Run => inject("run")
