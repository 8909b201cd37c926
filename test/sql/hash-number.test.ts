import fc from "fast-check"
import { expect, test } from "vitest"
import { hashText } from "../../src/state/branch/hash.ts"
import { testDatabase } from "../support/database.ts"

// The hashes of states as numbers of 256 bits: what SQL sums is what the library sums.

const db = testDatabase()
const BITS = 256n
const MODULUS = 1n << BITS

const hash = fc.oneof(
  fc.bigInt({ min: 0n, max: MODULUS - 1n }),
  fc.constantFrom(0n, 1n, MODULUS - 1n, 1n << 32n, (1n << 32n) - 1n, 1n << 255n)
)

test("sums and differences of hashes come out as the library's do", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hash, { maxLength: 5 }),
      fc.array(hash, { maxLength: 5 }),
      async (added, removed) => {
        const [row] = await db.query<{ hash: string }>(
          `select tidemark.number_hash(
           (select coalesce(sum(tidemark.hash_number(decode(one, 'hex'))), 0) from unnest($1::text[]) one)
           - (select coalesce(sum(tidemark.hash_number(decode(one, 'hex'))), 0) from unnest($2::text[]) one)) as hash`,
          [added.map(hashText), removed.map(hashText)]
        )
        const sum = [...added, ...removed.map((one) => -one)].reduce((total, one) => total + one, 0n)
        expect(row!.hash).toBe(hashText(((sum % MODULUS) + MODULUS) % MODULUS))
      }
    ),
    { numRuns: 300 }
  )
})

test("no hash is no number more", async () => {
  const [row] = await db.query(
    "select tidemark.hash_number(null)::text as none, tidemark.number_hash(0) as zero"
  )
  expect(row).toEqual({ none: "0", zero: hashText(0n) })
})
