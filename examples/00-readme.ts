import { open, VersionConflict } from "tidemark"

await using engine = await open() // no database named: an embedded PostgreSQL starts

await engine.subscribe({ categories: ["order"] }, async (event) => {
  if (event.type !== "OrderPlaced") return
  await engine.emit(event.stream, { type: "OrderAccepted", data: { by: "billing" } }) // knows what caused it
})

const placed = await engine.emit("order-17", { type: "OrderPlaced", data: { total: 42 }, labels: ["run:9"] })
console.log(`${placed.stream} is at version ${placed.version}, position ${placed.position}`)

try {
  await engine.emit("order-17", { type: "OrderPlaced" }, { expected: "none" })
} catch (error) {
  if (error instanceof VersionConflict) console.log(error.message)
}

for await (const event of engine.events({ from: placed.token, streams: ["order-17"] })) {
  console.log(event.version, event.type, event.data, "because of", event.meta.causationId)
  break
}
