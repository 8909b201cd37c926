import { Schema } from "effect"

/** Leaves room for the longest category before it: a stream has 255 characters. */
const MAX_LENGTH = 200

/** An agent's id: it stands in the names of the agent's streams, `agent-<id>` and `heartbeat-<id>`. */
export const AgentId = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]+$/, {
    expected: "an agent's id of visible ASCII characters, without spaces"
  }),
  Schema.isMaxLength(MAX_LENGTH)
)
