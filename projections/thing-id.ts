import { Schema } from "effect"

/** Leaves room for the longest category before it: a stream has 255 characters. */
const MAX_LENGTH = 200

/** The id that a caller gives to something: it stands in the name of a stream of its own. */
export const ThingId = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "an id of visible ASCII characters, without spaces" }),
  Schema.isMaxLength(MAX_LENGTH)
)
