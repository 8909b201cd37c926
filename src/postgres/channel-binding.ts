import { Effect } from "effect"
import { badConnectionString, ConnectionError, TlsUnverified } from "./connection-error.ts"
import type { Keywords } from "./connection-string.ts"
import type { Tls } from "./tls.ts"

export const channelBindings = ["disable", "prefer", "require"] as const

/** Whether signing in proves that nobody ends the TLS in between: never, where the server offers it, or always. */
export type ChannelBinding = (typeof channelBindings)[number]

/** What was asked for. It needs TLS: `require` without any fails here, and not at the first connection. */
export const channelBinding = (
  { channel_binding: wish = "prefer" }: Keywords,
  agreed: Tls | undefined
): Effect.Effect<ChannelBinding, ConnectionError> => {
  const known = channelBindings.find((binding) => binding === wish)
  if (known === undefined)
    return Effect.fail(badConnectionString("channel_binding", `is not one of ${channelBindings.join(", ")}`))
  if (known === "require" && agreed === undefined)
    return Effect.fail(
      badConnectionString(
        "channel_binding=require",
        "needs TLS: connect over TCP, with an sslmode other than disable"
      )
    )
  return Effect.succeed(agreed === undefined ? "disable" : known)
}

export const unbound = (server: string, sslmode: string, problem: string): ConnectionError =>
  new ConnectionError({ reason: new TlsUnverified({ server, sslmode, check: "channel", problem }) })

// Messages of the PostgreSQL protocol: a type, and a length that counts itself and what follows.
const typeBytes = 1
const headerBytes = 5
const codeBytes = 4
/** Before the client is signed in, nothing long is said. */
const longestMessage = 64 * 1024
const authentication = "R".charCodeAt(0)

// What an authentication message asks for, or tells.
const signedIn = 0
const saslMechanisms = 10
const saslContinue = 11
const saslFinal = 12

const bindingMechanism = "SCRAM-SHA-256-PLUS"

/**
 * Sees to it that a server signs its client in with channel binding, and in no other way: pg binds where the server offers
 * it, and else sends what it is asked for, were it the password itself. Lets the server's bytes through until then by whole
 * messages.
 */
export class BindingGuard {
  private readonly refuse: (problem: string) => Error
  private held: Buffer = Buffer.alloc(0)
  private stage: "nothing" | "offered" | "proven" | "signed in" = "nothing"

  constructor(refuse: (problem: string) => Error) {
    this.refuse = refuse
  }

  /** The client is signed in: all may go on from here. */
  get isOver(): boolean {
    return this.stage === "signed in"
  }

  /** What may go on to the client; throws where the server goes another way. */
  pass(chunk: Buffer): Buffer {
    this.held = Buffer.concat([this.held, chunk])
    let whole = 0
    while (!this.isOver && this.held.length >= whole + headerBytes) {
      const length = this.held.readUInt32BE(whole + typeBytes)
      if (length > longestMessage) throw this.refuse("what it says is no answer to signing in")
      const end = whole + typeBytes + length
      if (this.held.length < end) break
      if (this.held[whole] === authentication) this.judge(this.held.subarray(whole + headerBytes, end))
      whole = end
    }
    if (this.isOver) whole = this.held.length
    const passed = this.held.subarray(0, whole)
    this.held = this.held.subarray(whole)
    return passed
  }

  private judge(body: Buffer): void {
    const asked = body.length < codeBytes ? undefined : body.readUInt32BE(0)
    if (asked === saslMechanisms)
      this.judgeOffer(body.toString("latin1", codeBytes).split("\0").filter(Boolean))
    else if (asked === saslFinal && this.stage === "offered") this.stage = "proven"
    else if (asked === signedIn && this.stage === "proven") this.stage = "signed in"
    else if (asked === signedIn) throw this.refuse("it let the client in without proving who it is")
    else if (asked !== saslContinue || this.stage !== "offered")
      throw this.refuse(`it asks for a password in another way than ${bindingMechanism}`)
  }

  private judgeOffer(mechanisms: ReadonlyArray<string>): void {
    if (!mechanisms.includes(bindingMechanism)) throw this.refuse(`it does not offer ${bindingMechanism}`)
    this.stage = "offered"
  }
}
