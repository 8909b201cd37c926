import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import type { Json } from "../../src/base/json-value.ts"
import { applyPatch } from "../../src/base/patch.ts"
import { PatchFailed, type PatchOperation } from "../../src/base/patch-operation.ts"
import { cases } from "../base/patch-suite.ts"
import { patched } from "../base/patches.ts"
import { testDatabase } from "../support/database.ts"

const db = testDatabase()

type Outcome = { readonly result: Json } | { readonly index: number; readonly kind: string }

/** Gives the facts of a refusal as a result: an error that comes as far as here costs this process some 20 ms. */
const OUTCOME_OF = `
  create function outcome_of(document jsonb, patch jsonb) returns jsonb language plpgsql as $$
  declare _detail text;
  begin
    return jsonb_build_object('result', tidemark.apply_patch(document, patch));
  exception when sqlstate 'TM008' then
    get stacked diagnostics _detail = pg_exception_detail;
    return _detail;
  end $$`

beforeAll(async () => {
  await db.query(OUTCOME_OF)
})

const inSql = async (document: Json, patch: unknown): Promise<Outcome> => {
  const given = [JSON.stringify(document), JSON.stringify(patch)]
  const [row] = await db.query<{ outcome: Outcome }>("select outcome_of($1, $2) as outcome", given)
  return row!.outcome
}

const inTypeScript = (document: Json, patch: ReadonlyArray<PatchOperation>): Outcome => {
  try {
    return { result: applyPatch(document, patch) }
  } catch (error) {
    if (!(error instanceof PatchFailed)) throw error
    return { index: error.index, kind: error.kind }
  }
}

describe("the suite of RFC 6902", () => {
  test.each(cases)("$name", async ({ doc, patch, expected, error }) => {
    const outcome = await inSql(doc, patch)
    if (error !== undefined) expect(outcome).toEqual({ index: patch.length - 1, kind: expect.any(String) })
    else expect(outcome).toEqual({ result: expected ?? doc })
  })
})

describe("apply_patch", () => {
  test("gives what the library gives, and refuses what it refuses for the same reason", async () => {
    let applied = 0
    await fc.assert(
      fc.asyncProperty(patched(6), async ({ document, patch }) => {
        const outcome = await inSql(document, patch)
        expect(outcome).toEqual(inTypeScript(document, patch))
        if ("result" in outcome) applied += 1
      }),
      { numRuns: 3_000 }
    )
    expect(applied).toBeGreaterThan(300)
  })

  test.each([
    [{ op: "add", path: "/list/ 1", value: 1 }],
    [{ op: "add", path: "/list/+1", value: 1 }],
    [{ op: "add", path: "/list/-1", value: 1 }],
    [{ op: "remove", path: "/list/-1" }],
    [{ op: "remove", path: "/list/01" }],
    [{ op: "replace", path: "/list/-", value: 1 }],
    [{ op: "add", path: "/list/4", value: 1 }],
    [{ op: "add", path: "/list/99999999999999999999", value: 1 }],
    [{ op: "remove", path: "/list/999999999" }],
    [{ op: "add", path: "/list/-/a", value: 1 }],
    [{ op: "add", path: "/text/0", value: 1 }],
    [{ op: "remove", path: "/text/0" }],
    [{ op: "add", path: "/nothing/a/b", value: 1 }],
    [{ op: "test", path: "/list/2", value: { a: null } }],
    [{ op: "add", path: "/__proto__", value: 1 }],
    [{ op: "copy", from: "/a/__proto__", path: "/a" }],
    [{ op: "add", path: "a", value: 1 }],
    [{ op: "add", path: "/~2", value: 1 }],
    [{ op: "add", path: "/a~", value: 1 }],
    [{ op: "add", path: 1, value: 1 }],
    [{ op: "add", path: null, value: 1 }],
    [{ op: ["add"], path: "/a", value: 1 }],
    [{ op: "move", from: "/list", path: "/list/0" }],
    [{ op: "move", from: "", path: "/a" }],
    [{ op: "copy", from: null, path: "/a" }],
    [{ path: "/list" }],
    [["op"]],
    ["add"],
    [null],
    [7]
  ])("refuses %j, as the library does", async (operation) => {
    const document = { list: ["one", 2, {}], text: "abc", nothing: null }
    const outcome = await inSql(document, [operation])
    expect(outcome).toEqual(inTypeScript(document, [operation as unknown as PatchOperation]))
    expect(outcome).toMatchObject({ index: 0 })
  })

  test.each(["", "x", 0, false, null, 1.5])(
    "adds nothing to the scalar %j, and replaces it",
    async (scalar) => {
      for (const path of ["/a", "/0", "/-"])
        expect(await inSql(scalar, [{ op: "add", path, value: 1 }])).toEqual({
          index: 0,
          kind: "through_scalar"
        })
      expect(await inSql(scalar, [{ op: "replace", path: "", value: { a: scalar } }])).toEqual({
        result: { a: scalar }
      })
    }
  )

  test("takes keys for what they are, whatever is in them", async () => {
    const keys = ["", " ", "a\nb", '"', "\\", "é", "💧", "{a,b}", "NULL", "null", "%"]
    const value = { kept: [null] }
    for (const key of keys) {
      const patch = [
        { op: "add", path: `/${key}`, value: {} },
        { op: "add", path: `/${key}/${key}`, value },
        { op: "move", from: `/${key}`, path: "/moved" }
      ]
      expect(await inSql({}, patch)).toEqual({ result: { moved: { [key]: value } } })
    }
  })

  test("compares numbers by value, and keeps what a double could not hold", async () => {
    const [row] = await db.query<{ same: boolean; text: string }>(
      `select tidemark.apply_patch('{"n": 1.50}', '[{"op": "test", "path": "/n", "value": 1.5}]') = '{"n": 1.5}' as same,
         tidemark.apply_patch('{}', '[{"op": "add", "path": "/n", "value": 12345678901234567890.5}]')::text as text`
    )
    expect(row).toEqual({ same: true, text: '{"n": 12345678901234567890.5}' })
  })

  test("says which operation it was, and what to do, and nothing of the document", async () => {
    const refused = db.query("select tidemark.apply_patch($1, $2)", [
      '{"secret": "hidden"}',
      '[{"op": "add", "path": "/a", "value": 1}, {"op": "test", "path": "/secret", "value": "guess"}]'
    ])
    await expect(refused).rejects.toMatchObject({
      code: "TM008",
      message: "operation 1 of the patch cannot be applied (test)",
      detail: '{"kind": "test", "index": 1}',
      hint: "Nothing was changed. Make the patch for the document as it is now."
    })
  })

  test("refuses what is no list of operations, and knows nothing where nothing is given", async () => {
    for (const patch of [{}, "add", null, 1])
      expect(await inSql({}, patch)).toEqual({ index: 0, kind: "malformed" })
    expect(await inSql({ a: 1 }, [])).toEqual({ result: { a: 1 } })
    const [row] = await db.query(
      "select tidemark.apply_patch(null, '[]') as one, tidemark.apply_patch('{}', null) as other"
    )
    expect(row).toEqual({ one: null, other: null })
  })

  test("may be called by everybody, whatever is on the search path, as it looks at no table", async () => {
    const [row] = await db.query<{ volatility: string; security: boolean; everybody: boolean }>(
      `select provolatile as volatility, prosecdef as security, has_function_privilege('public', oid, 'execute') as everybody
       from pg_proc where oid = 'tidemark.apply_patch'::regproc`
    )
    expect(row).toEqual({ volatility: "i", security: false, everybody: true })
  })
})
