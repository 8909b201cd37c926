import type { Engine } from "../../src/index.ts"
import { until } from "../support/eventually.ts"

/** All that links have heard of is brought, and nothing came of it that they have not heard of. */
export const linksQuiet = (engine: Engine, within?: number): Promise<unknown> =>
  until(
    async () => {
      const before = (await engine.status()).head
      const [heard] = (await engine.subscriptions()).filter(({ name }) => name === "tidemark.links")
      const { waiting, retrying, held } = await engine.syncQueue.status()
      const running = await engine.syncQueue.list({ state: "running" })
      if (heard === undefined || heard.lag.atMost > 0 || waiting + retrying + held + running.length > 0)
        return false
      return (await engine.status()).head === before
    },
    { what: "links to have nothing to bring", ...(within === undefined ? {} : { within }) }
  )
