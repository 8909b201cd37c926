import { Schema } from "effect"

export const HelpStatus = Schema.Literals(["pending", "in_progress", "answered", "closed"])
export type HelpStatus = typeof HelpStatus.Type

/** What may become of a request in each status, besides that it gets one more answer. */
export const NEXT: Readonly<Record<HelpStatus, ReadonlyArray<HelpStatus>>> = {
  pending: ["in_progress", "answered", "closed"],
  in_progress: ["pending", "answered", "closed"],
  answered: ["pending", "in_progress", "closed"],
  closed: ["pending"]
}

/** Whether a request in a status takes an answer. */
export const isAnswerable = (status: HelpStatus): boolean => status !== "closed"
