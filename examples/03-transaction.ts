/** A row and an event commit together, or neither does. */
import { randomUUID } from "node:crypto"
import { open, VersionConflict } from "tidemark"

await using engine = await open()
const order = `order-${randomUUID().slice(0, 8)}`

await engine.transaction(async (tx) => {
  await tx.query("create table if not exists invoices (order_id text primary key, total numeric not null)")
})

const invoice = (total: number): Promise<void> =>
  engine.transaction(async (tx) => {
    await tx.query("insert into invoices (order_id, total) values ($1, $2)", [order, total])
    tx.emit(order, { type: "OrderInvoiced", data: { total } }, { expected: "none" })
  })

await invoice(42)
await invoice(43).catch((error: unknown) => console.log("refused:", (error as Error).name))

// The conflict is found as the last thing before COMMIT, and takes the row back with it.
await engine
  .transaction(async (tx) => {
    await tx.query("update invoices set total = 99 where order_id = $1", [order])
    tx.emit(order, { type: "OrderInvoiced", data: { total: 99 } }, { expected: "none" })
  })
  .catch((error: unknown) => console.log("conflict:", error instanceof VersionConflict))

const [row] = await engine.transaction(async (tx) => {
  const { rows } = await tx.query<{ total: string }>("select total from invoices where order_id = $1", [
    order
  ])
  return rows
})
console.log("the invoice stands at", row?.total)
