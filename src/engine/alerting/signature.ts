import { createHmac } from "node:crypto"

// Signatures of webhooks as https://www.standardwebhooks.com has them, so that receivers check them with the libraries that there are.

const PREFIX = "whsec_"

/** How long a key may be, in bytes. */
const SHORTEST = 24
const LONGEST = 64

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(PREFIX.length), "base64")

/** Why a text is no secret to sign with, without telling it; undefined where it is one. */
export const secretProblem = (secret: string): string | undefined => {
  const { length } = SECRET.test(secret) ? keyOf(secret) : { length: 0 }
  return length >= SHORTEST && length <= LONGEST
    ? undefined
    : `is no secret to sign with: give ${PREFIX} and ${SHORTEST} to ${LONGEST} random bytes in base64, as of openssl rand -base64 32`
}

/** What a receiver knows the sender by. `at` is in seconds since 1970. */
export const signature = (secret: string, id: string, at: number, body: string): string =>
  `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${at}.${body}`).digest("base64")}`
