import { createRequire } from "node:module"
import type { Json } from "../../src/base/json-value.ts"
import type { PatchOperation } from "../../src/base/patch-operation.ts"

interface Case {
  readonly name: string
  readonly doc: Json
  readonly patch: ReadonlyArray<PatchOperation>
  /** Absent where it is only said that the patch can be applied. */
  readonly expected?: Json
  /** Why the patch cannot be applied. */
  readonly error?: string
  readonly disabled?: boolean
}

const load = createRequire(import.meta.url)

/** The live cases of the suite that implementations of RFC 6902 share: its own, and those from the text of the RFC. */
export const cases: ReadonlyArray<Case> = ["tests", "spec_tests"].flatMap((file) => {
  const records = load(`json-patch-test-suite/${file}.json`) as ReadonlyArray<
    Omit<Case, "name"> & { readonly comment?: string }
  >
  return records
    .map((record, at) => ({
      ...record,
      name: `${file} ${at}: ${record.comment ?? record.error ?? JSON.stringify(record.patch)}`
    }))
    .filter(({ disabled }) => disabled !== true)
})
