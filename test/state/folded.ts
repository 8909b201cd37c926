import type { TestLog } from "../log/test-log.ts"
import { until } from "../support/eventually.ts"

/** The read model has folded all that there is. */
export const folded = ({ db }: TestLog): Promise<unknown> =>
  until(
    async () => {
      const behind = await db.query(
        `select from tidemark.events event
         where stream like 'state-%' and version > coalesce(
           (select max(branch.version) from tidemark.state_branches branch where branch.stream = event.stream), 0)
         limit 1`
      )
      return behind.length === 0
    },
    { what: "the read model to fold every state" }
  )
