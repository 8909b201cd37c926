import { connect as connectTcp, type Socket } from "node:net"
import { Duplex } from "node:stream"
import { TLSSocket } from "node:tls"
import { BindingGuard, type ChannelBinding, unbound } from "./channel-binding.ts"
import { ConnectionError, TlsRefused } from "./connection-error.ts"
import { event, negotiate, type Server, shown } from "./tls-handshake.ts"
import type { Tls } from "./tls.ts"

type Encryption = "tls" | "plain"

// What libpq tries, in its order, each on a new TCP connection (unless the server itself says no to TLS under `prefer`).
const attemptsOf: Record<Tls["mode"], ReadonlyArray<Encryption>> = {
  allow: ["plain", "tls"],
  prefer: ["tls", "plain"],
  require: ["tls"],
  "verify-ca": ["tls"],
  "verify-full": ["tls"]
}

const errorResponse = "E".charCodeAt(0)

/**
 * The socket under one pg connection: agrees on TLS with the server as libpq does, and then is transparent.
 *
 * pg itself decides for TLS or against it before it connects, so `prefer` and `allow` cannot be told to it. Here every
 * connection decides on its own socket: there is no probe that may be stale when it counts and no extra round trip.
 * A server may also accept TLS and then turn the encrypted (or the plain) client away by pg_hba.conf; where the mode
 * leaves another way, the startup packet goes out again that way, and pg sees only the last answer.
 * Fails with ConnectionError (TlsRefused, TlsUnverified) or a network error, through pg's own `connect`.
 * With `binding` "require" TlsUnverified also where the server does not sign in with channel binding; then nothing is tried
 * without TLS.
 */
export class TlsSocket extends Duplex {
  readonly #tls: Tls
  #untried: ReadonlyArray<Encryption>
  #server: Server = { host: "", port: 0 }
  #socket: Socket | undefined
  #keepAlive: readonly [enable: boolean, initialDelay: number] = [false, 0]
  #startup: Buffer | undefined
  #refusal: Array<Buffer> = []
  #answered = false
  #guard: BindingGuard | undefined

  constructor(tls: Tls, binding: ChannelBinding = "prefer") {
    super({ allowHalfOpen: false })
    this.#tls = tls
    this.#untried = binding === "require" ? ["tls"] : attemptsOf[tls.mode]
    if (binding === "require") this.#guard = new BindingGuard((problem) => this.#unbound(problem))
  }

  // From here on: the part of net.Socket that pg uses.

  connect(port: number, host: string): this {
    this.#server = { host, port }
    void this.#attempt()
    return this
  }

  setNoDelay(): this {
    // Each TCP connection is opened with it.
    return this
  }

  setKeepAlive(enable: boolean, initialDelay: number): this {
    this.#keepAlive = [enable, initialDelay]
    this.#socket?.setKeepAlive(enable, initialDelay)
    return this
  }

  ref(): this {
    this.#socket?.ref()
    return this
  }

  unref(): this {
    this.#socket?.unref()
    return this
  }

  /** The certificate that pg binds SCRAM to (`channel_binding`). */
  getPeerCertificate() {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate() : undefined
  }

  async #attempt(): Promise<void> {
    if (this.destroyed) return
    const [encryption, ...untried] = this.#untried
    this.#untried = untried
    const socket = connectTcp({ ...this.#server, noDelay: true })
    this.#socket = socket
    try {
      await event(socket, "connect")
    } catch (cause) {
      return this.#fail(cause)
    }
    if (encryption === "plain") return this.#use(socket)
    let agreed: Socket
    try {
      agreed = await negotiate(socket, this.#tls, this.#server, untried.includes("plain"))
    } catch (cause) {
      socket.destroy()
      return untried.length === 0 ? this.#fail(cause) : this.#attempt()
    }
    if (agreed === socket) this.#untried = []
    this.#use(agreed)
  }

  #unbound(problem: string): ConnectionError {
    return unbound(shown(this.#server), this.#tls.mode, problem)
  }

  #fail(thrown: unknown) {
    if (this.destroyed) return
    const hasNoTls = thrown instanceof ConnectionError && thrown.reason instanceof TlsRefused
    const cause = this.#guard !== undefined && hasNoTls ? this.#unbound("it does not offer TLS") : thrown
    if (this.#refusal.length === 0) return void this.destroy(cause as Error)
    // The server's own words to the first attempt say more than that the second found no TLS.
    this.#answered = true
    for (const chunk of this.#refusal) this.push(chunk)
    this.push(null)
  }

  #use(socket: Socket) {
    if (this.destroyed) return void socket.destroy()
    this.#socket = socket
    socket.setKeepAlive(...this.#keepAlive)
    const current = () => socket === this.#socket
    socket.on("data", (chunk: Buffer) => current() && this.#receive(chunk))
    socket.on("error", (error) => current() && this.destroy(error))
    socket.on("close", () => current() && this.#closed())
    if (this.#startup === undefined) this.emit("connect")
    else socket.write(this.#startup)
  }

  #receive(chunk: Buffer) {
    if (!this.#answered && this.#untried.length > 0) {
      if (this.#refusal.length > 0 || chunk[0] === errorResponse) return void this.#refusal.push(chunk)
    }
    this.#answered = true
    this.#startup = undefined
    let passed = chunk
    try {
      if (this.#guard !== undefined) passed = this.#guard.pass(chunk)
      if (this.#guard?.isOver === true) this.#guard = undefined
    } catch (refused) {
      return void this.destroy(refused as Error)
    }
    if (passed.length > 0 && !this.push(passed)) this.#socket?.pause()
  }

  #closed() {
    if (this.destroyed) return
    if (!this.#answered && this.#refusal.length > 0 && this.#untried.length > 0) return void this.#attempt()
    this.push(null)
  }

  override _read() {
    this.#socket?.resume()
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void) {
    if (!this.#answered && this.#untried.length > 0) this.#startup ??= chunk
    this.#socket?.write(chunk, done)
  }

  override _writev(chunks: ReadonlyArray<{ readonly chunk: Buffer }>, done: (error?: Error | null) => void) {
    // In one piece to the kernel, as pg wrote it.
    this.#socket?.cork()
    for (const [index, { chunk }] of chunks.entries()) {
      this.#socket?.write(chunk, index === chunks.length - 1 ? done : undefined)
    }
    this.#socket?.uncork()
  }

  override _final(done: () => void) {
    if (this.#socket === undefined) done()
    else this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void) {
    this.#socket?.destroy()
    done(error)
  }
}
