import { expect } from "vitest"
import type { TestLog } from "../log/test-log.ts"

/** The event of a version of an agent's state is not what it was when it was appended. */
export const damageEvent = async (
  { db }: TestLog,
  { agent }: { readonly agent: string },
  version: number,
  branch = "main"
): Promise<void> => {
  await db.query("alter table tidemark.events disable trigger user")
  await db.query(
    "update tidemark.events set data = jsonb_set(data, '{patch,0,value}', '99') where stream = $1 and version = $2",
    [`state-${branch}@${agent}`, version]
  )
  await db.query("alter table tidemark.events enable trigger user")
}

/** What is rebuilt of the log as it is by now is what is kept ready, row by row. */
export const rebuiltAlike = async ({ engine }: TestLog): Promise<void> =>
  expect((await engine.rebuild("states", { verify: true })).verified).toMatchObject({ sameDefinition: true })
