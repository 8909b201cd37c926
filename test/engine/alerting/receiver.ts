import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { collector } from "../../support/eventually.ts"

/** What came to a receiver. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What a receiver answers: a status, or nothing at all. */
export type Answer = number | "silence"

/** A receiver of webhooks on this machine, that answers as it is told: one answer after the other, and the last for ever. */
export const receiver = async (...answers: ReadonlyArray<Answer>) => {
  const came = collector<Received>()
  const left = [...answers]
  const server: Server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const answer = left.length > 1 ? left.shift()! : left[0]!
      if (answer !== "silence") response.writeHead(answer, { location: "/elsewhere" }).end("thank you")
      came.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook?token=hush`,
    came,
    answer: (...next: ReadonlyArray<Answer>) => void left.splice(0, left.length, ...next),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    }
  }
}
