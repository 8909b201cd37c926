/** `ok`; `warning`: it works, but not as it should; `failing`: it does not do what it is for. */
export type CheckState = "ok" | "warning" | "failing"

/** One thing that was looked at. */
export interface HealthCheck {
  readonly name: string
  readonly state: CheckState
  readonly found: string
  /** What to do about it; undefined where it is ok. */
  readonly remedy: string | undefined
}

/** What makes a check worse than ok, and what to do then. */
export interface Complaint {
  readonly state: "warning" | "failing"
  readonly found: string
  readonly remedy: string
}

/** A check: the worst of its complaints, or what is found where there is none. */
export const check = (
  name: string,
  fine: string,
  ...complaints: ReadonlyArray<Complaint | undefined>
): HealthCheck => {
  const given = complaints.filter((one) => one !== undefined)
  const worst = given.find(({ state }) => state === "failing") ?? given[0]
  return worst === undefined ? { name, state: "ok", found: fine, remedy: undefined } : { name, ...worst }
}

/** `complain(when, …)`: a warning where that is so. */
export const warning = (when: boolean, found: string, remedy: string): Complaint | undefined =>
  when ? { state: "warning", found, remedy } : undefined

export const failing = (when: boolean, found: string, remedy: string): Complaint | undefined =>
  when ? { state: "failing", found, remedy } : undefined
