import { Schema } from "effect"
import type { Appended } from "../src/log/event.ts"

/** What a command returns: where its last event came to lie, and a token by which to read it back anywhere. */
export const Recorded = Schema.Struct({
  stream: Schema.String,
  version: Schema.Int,
  position: Schema.Int,
  token: Schema.String
})

export const recorded = ({ stream, version, position, token }: Appended): typeof Recorded.Type => ({
  stream,
  version,
  position,
  token
})
