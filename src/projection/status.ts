import type { ProjectionStopped } from "./error.ts"

/** How a projection stands in this process. */
export interface ProjectionStatus {
  readonly name: string
  readonly version: number
  /** The physical tables behind its views: `<relation>__<generation>`. 0 until it was looked up. */
  readonly generation: number
  readonly state: "running" | "catching up" | "stopped"
  /** Everything up to here that it folds is in its tables. */
  readonly position: number
  readonly lag: {
    /** How far it is behind what this process has read of the log: never more than this. */
    readonly atMost: number
    /** Whether that is a number of events; else it is one of positions, which may skip. */
    readonly isCount: boolean
  }
  /** Events folded per second, over the last ten seconds: by this process, or by its owner where the fleet was asked. */
  readonly rate: number
  /** Another process does the folding at present; this one follows, and takes over when it stops. */
  readonly follows: boolean
  /** What stopped it, with the event it stopped before; or what it tries again after. */
  readonly error:
    | { readonly message: string; readonly position?: number | undefined; readonly type?: string | undefined }
    | undefined
}

export const stoppedStatus = (reason: ProjectionStopped): NonNullable<ProjectionStatus["error"]> => ({
  message: reason.detail,
  position: reason.position,
  type: reason.type
})
