/** What callers of the promise face catch: the reason itself, by its class, instead of the floor's error around it. */
export const plainError = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "reason" in error && error.reason instanceof Error
    ? error.reason
    : error
