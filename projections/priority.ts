import { Schema } from "effect"

/** How pressing something is, from the least on. */
export const PRIORITIES = ["low", "medium", "high", "critical"] as const

export const Priority = Schema.Literals(PRIORITIES)

/** What is said of no priority has this one. */
export const DEFAULT_PRIORITY = "medium"
