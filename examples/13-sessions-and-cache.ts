/** Who is there, for how long, and what is kept at hand meanwhile: a session of a user with an agent, and a cache that all processes share. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"
import { NotAllowed } from "tidemark/errors"

await using engine = await open()
const run = randomUUID().slice(0, 8)
const user = `ada-${run}`

// A session is history: it is in the log who was there, and how it ended.
const { session } = await engine.sessions.create({ user, agent: "helper-1", data: { topic: "billing" } })
console.log("a touch so soon is not written down:", await engine.sessions.touch({ session }))
await engine.sessions.touch({ session, data: { topic: "refunds" } })
for (const { agent, data, status } of await engine.sessions.list({ user, status: "active" }))
  console.log(agent, JSON.stringify(data), status)

// The cache is none: whatever is in it can be worked out again.
const namespace = `example-${run}`
let worked = 0
const priceOf = async (item: string): Promise<number> => {
  const known = await engine.cache.get(`price:${item}`, { namespace })
  if (typeof known === "number") return known
  worked += 1
  const price = item.length * 10
  await engine.cache.set(`price:${item}`, price, { namespace, ttlMs: 60_000, tags: ["prices"] })
  return price
}
for (const item of ["tea", "coffee", "tea", "tea"]) await priceOf(item)
console.log("worked out:", worked)
console.log("invalidated:", await engine.cache.invalidateTag("prices", { namespace }))
await priceOf("tea")
const { namespaces } = await engine.cache.statistics()
const mine = namespaces.find((one) => one.namespace === namespace)
console.log(`${mine?.hits} hits, ${mine?.misses} misses, ${mine?.entries} entry`)

await engine.sessions.end({ session, reason: "signed out" })
try {
  await engine.sessions.touch({ session })
} catch (error) {
  if (!(error instanceof NotAllowed)) throw error
  console.log("over is over:", error.status)
}
