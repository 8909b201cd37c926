import { once } from "node:events"
import net from "node:net"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { collector, until } from "./support/eventually.ts"
import { type Proxy, startProxy } from "./support/proxy.ts"

/** Answers each piece with the same in capitals, and remembers what it heard. */
const startShouter = async () => {
  const heard = collector<string>()
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    socket.on("data", (data) => {
      heard.push(String(data))
      socket.write(String(data).toUpperCase())
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as net.AddressInfo
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `postgresql://somebody@127.0.0.1:${port}/db?sslmode=disable`, heard, sockets, close }
}

const connect = async (url: string) => {
  const answers = collector<string>()
  const socket = net.connect(Number(new URL(url).port), "127.0.0.1")
  const ended = new Promise<string>((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"))
    socket.on("close", () => resolve("closed"))
  })
  socket.on("data", (data) => answers.push(String(data)))
  await Promise.race([once(socket, "connect"), ended])
  return { socket, answers, ended }
}

let shouter: Awaited<ReturnType<typeof startShouter>>
let proxy: Proxy

beforeEach(async () => {
  shouter = await startShouter()
  proxy = await startProxy(shouter.url)
})

afterEach(async () => {
  await proxy.close()
  await shouter.close()
})

describe("a proxy", () => {
  test("keeps the URL but for the address, and passes bytes both ways", async () => {
    expect(proxy.url).toMatch(/^postgresql:\/\/somebody@127\.0\.0\.1:\d+\/db\?sslmode=disable$/)
    const { socket, answers } = await connect(proxy.url)
    socket.write("hello")
    expect(await answers.reaches(1)).toEqual(["HELLO"])
    socket.destroy()
  })

  test("passes a large body through whole, and counts its bytes, both ways", async () => {
    const { socket, answers } = await connect(proxy.url)
    const size = 4 * 1024 * 1024
    const before = proxy.carried
    socket.write("x".repeat(size))
    await until(() => answers.items.join("").length === size)
    expect(answers.items.join("")).toBe("X".repeat(size))
    expect(proxy.carried - before).toBe(2 * size)
    socket.destroy()
  })

  test("counts the open and the accepted connections", async () => {
    const first = await connect(proxy.url)
    const second = await connect(proxy.url)
    await until(() => proxy.connections === 2)
    first.socket.end()
    await until(() => proxy.connections === 1)
    second.socket.destroy()
    await until(() => proxy.connections === 0)
    expect(proxy.accepted).toBe(2)
  })

  test("passes the end of either side on", async () => {
    const byClient = await connect(proxy.url)
    byClient.socket.write("hello")
    await byClient.answers.reaches(1)
    byClient.socket.end()
    expect(await byClient.ended).toBe("closed")
    const byServer = await connect(proxy.url)
    await until(() => shouter.sockets.size === 1)
    for (const socket of shouter.sockets) socket.end()
    expect(await byServer.ended).toBe("closed")
  })

  test("cuts connections with a reset", async () => {
    const { ended } = await connect(proxy.url)
    await until(() => proxy.connections === 1 && shouter.sockets.size === 1)
    expect(proxy.cut()).toBe(1)
    expect(await ended).toBe("ECONNRESET")
    await until(() => shouter.sockets.size === 0)
  })

  test("a black hole swallows what both sides send and keeps the connection open", async () => {
    const { socket, answers } = await connect(proxy.url)
    socket.write("before")
    await answers.reaches(1)
    proxy.blackHole()
    socket.write("into the hole")
    await until(() => proxy.swallowed === "into the hole".length)
    expect(answers.items).toEqual(["BEFORE"])
    expect(shouter.heard.items).not.toContain("into the hole")
    expect([socket.destroyed, proxy.connections]).toEqual([false, 1])
    socket.destroy()
  })

  test("a black hole towards the client still lets the server hear", async () => {
    const { socket, answers } = await connect(proxy.url)
    proxy.blackHole("toClient")
    socket.write("one way")
    expect(await shouter.heard.reaches(1)).toEqual(["one way"])
    await until(() => proxy.swallowed === "ONE WAY".length)
    expect(answers.items).toEqual([])
    socket.destroy()
  })

  test("a black hole hides from the server that the client is gone", async () => {
    const { socket } = await connect(proxy.url)
    await until(() => shouter.sockets.size === 1)
    proxy.blackHole()
    socket.destroy()
    await until(() => proxy.connections === 0)
    expect(shouter.sockets.size).toBe(1)
  })

  test("healing helps new connections and those that lost nothing, never one that lost bytes", async () => {
    const lossy = await connect(proxy.url)
    const idle = await connect(proxy.url)
    proxy.blackHole("toServer")
    lossy.socket.write("lost")
    await until(() => proxy.swallowed === "lost".length)
    await proxy.heal()
    lossy.socket.write("too late")
    await until(() => proxy.swallowed === "losttoo late".length)
    const fresh = await connect(proxy.url)
    for (const { socket } of [idle, fresh]) socket.write("fine")
    expect(await idle.answers.reaches(1)).toEqual(["FINE"])
    expect(await fresh.answers.reaches(1)).toEqual(["FINE"])
    for (const { socket } of [lossy, idle, fresh]) socket.destroy()
  })

  test("latency holds pieces back in their order", async () => {
    const { socket, answers } = await connect(proxy.url)
    proxy.latency(40)
    const begun = performance.now()
    socket.write("a")
    await answers.reaches(1)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(80)
    proxy.latency(60)
    socket.write("b")
    await shouter.heard.first((piece) => piece.includes("b"))
    proxy.latency(0)
    socket.write("c")
    await until(() => answers.items.join("") === "ABC")
    socket.destroy()
  })

  test("loses the reply to a matching request and leaves the others alone", async () => {
    const { socket, answers } = await connect(proxy.url)
    const lost = proxy.loseReply(/commit/)
    socket.write("begin")
    await answers.reaches(1)
    socket.write("commit")
    await lost
    expect(shouter.heard.items).toEqual(["begin", "commit"])
    expect(answers.items).toEqual(["BEGIN"])
    expect(socket.destroyed).toBe(false)
    const next = await connect(proxy.url)
    next.socket.write("commit")
    expect(await next.answers.reaches(1)).toEqual(["COMMIT"])
    for (const each of [socket, next.socket]) each.destroy()
  })

  test("can cut the connection instead of answering, after the server has heard", async () => {
    const { socket, answers, ended } = await connect(proxy.url)
    const lost = proxy.loseReply(/commit/, "cut")
    socket.write("commit")
    await lost
    expect(await ended).toBe("ECONNRESET")
    expect(shouter.heard.items).toEqual(["commit"])
    expect(answers.items).toEqual([])
  })

  test("refuses new connections and keeps the old, until it is healed", async () => {
    const old = await connect(proxy.url)
    await until(() => proxy.connections === 1)
    proxy.refuse()
    const refused = await connect(proxy.url)
    expect(await refused.ended).toBe("ECONNREFUSED")
    old.socket.write("still here")
    expect(await old.answers.reaches(1)).toEqual(["STILL HERE"])
    await proxy.heal()
    const again = await connect(proxy.url)
    again.socket.write("back")
    expect(await again.answers.reaches(1)).toEqual(["BACK"])
    for (const { socket } of [old, again]) socket.destroy()
  })

  test("resets its client when the server refuses", async () => {
    await shouter.close()
    const { ended } = await connect(proxy.url)
    expect(await ended).toBe("ECONNRESET")
    shouter = await startShouter()
  })
})
