/** A value that nobody can change any more, all the way down. What is frozen already is so all the way down. */
export const deepFrozen = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  for (const child of Object.values(value)) deepFrozen(child)
  return Object.freeze(value)
}
