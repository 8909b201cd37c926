/** Durable subscriptions: a place in the log that outlives the process, effects that commit with it, and events that are parked. */
import { randomUUID } from "node:crypto"
import { open } from "tidemark"

await using engine = await open()
const run = randomUUID().slice(0, 8)
const name = `billing-${run}`
const orders = { name, from: "start", labels: [`run:${run}`] } as const

for (const [id, total] of [
  ["a", 42],
  ["b", -1],
  ["c", 7]
] as const) {
  await engine.emit(`order-${run}${id}`, { type: "OrderPlaced", data: { total }, labels: [`run:${run}`] })
}
await engine.transaction((tx) =>
  tx.query("create table if not exists bills (stream text primary key, total integer)")
)

// The handler's rows commit together with the cursor: each order is billed once, whatever happens to this process.
let parked = (_position: number): void => undefined
const poison = new Promise<number>((resolve) => {
  parked = resolve
})
const billing = await engine.subscribe(
  {
    ...orders,
    transactional: true,
    retry: { attempts: 2, firstMs: 10 },
    onParked: ({ position }) => parked(position)
  },
  async (event, { tx }) => {
    const { total } = event.data as { total: number }
    if (total < 0) throw new Error(`an order of ${total}`)
    await tx.query("insert into bills values ($1, $2)", [event.stream, total])
  }
)

// One event cannot be handled: it is parked after its last attempt, and the others go on.
const position = await poison
const [held] = await billing.control.parked()
console.log(
  "parked:",
  held?.state,
  held?.errors.map(({ message }) => message)
)
console.log("dropped:", await billing.control.drop(position, { reason: "a test order", actor: "ada" }))

// Another process that subscribes under the name shares the work, or goes on where this one ends.
await billing.stop()
const { rows } = await engine.transaction((tx) =>
  tx.query<{ total: number }>("select total from bills where stream like $1 order by stream", [
    `order-${run}%`
  ])
)
console.log(
  "billed:",
  rows.map(({ total }) => total)
)
const { state, held: counts, lag } = await engine.subscription(name).status()
console.log("the subscription is", state, "holds", counts.parked, "events, and is", lag.atMost, "behind")
await engine.subscription(name).delete()
