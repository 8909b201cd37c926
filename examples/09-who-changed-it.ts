/** An audit of one key of an agent's state: who changed it, when, and why; and what the agent knew at the time. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"
import { StateConflict } from "tidemark/state"

await using engine = await open()
const state = engine.state(`trader-${randomUUID().slice(0, 8)}`)

await state.update({ shared: { limit: 100, open: [] } }, { actor: "setup", reason: "the usual limit" })
await state.update({ shared: { limit: 500 } }, { actor: "risk", reason: "a calm week" })
await state.update({ shared: { open: ["ACME"] } }, { actor: "trader" })
const seen = await state.read()

// An agent thinks for a while, and gives the state that it saw as the base of what it writes.
await state.update({ shared: { limit: 50 } }, { actor: "risk", reason: "news" })
await state
  .update({ shared: { limit: 900 } }, { base: seen.token, actor: "trader", reason: "all in" })
  .catch((error: unknown) => {
    if (!(error instanceof StateConflict)) throw error
    for (const { path, oursBy, oursBecause } of error.conflicts)
      console.log("refused:", path, "was changed meanwhile by", oursBy, "because of", oursBecause)
  })

for (const { version, at, actor, reason, operations } of await state.blame("/shared/limit", { limit: 10 }))
  console.log(`version ${version}, ${at.toISOString()}: ${actor}, because of ${reason}:`, operations)

// The state as it was when the position was opened, and proof that the log says so.
const then = await state.read({ version: seen.version })
console.log("then the limit was", then.shared["limit"], "and open was", then.shared["open"])
console.log("the log is sound:", (await state.verify()).isSound)
