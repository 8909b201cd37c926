import jsonpatch, { type Operation } from "fast-json-patch"
import { expect, test } from "vitest"
import type { Event } from "../../src/index.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { startWorker } from "../support/process.ts"
import { random, seedFor } from "../support/random.ts"
import { folded } from "./folded.ts"
import { docOf, type Doc, emptyDoc, hashOf } from "./model/document.ts"
import { type Log, made, type Said, wrongs } from "./writers.ts"

const PROCESSES = 8
const AGENT = "shared-by-all"
const CALLERS = 4
const WRITES = 4
const HOT = 4

/** With a write under way, or with one that it was told of just now. */
const DEATHS = ["under way", "told", "told", "told"] as const

const patience = { within: 60_000 }

const log = testLog()

/** The log of the branch, followed by nothing of the engine's own. */
const followed = async (): Promise<Log> => {
  const [row] = await log.db.query<{ secret: Buffer }>("select secret from tidemark.agent_secrets")
  const docs: Array<Doc> = [emptyDoc()]
  const all = await eventsOf(log.engine, `state-main@${AGENT}`)
  for (const { data } of all) {
    const { patch, hash } = data as { readonly patch: ReadonlyArray<Operation>; readonly hash: string }
    const after = jsonpatch.applyPatch(docs.at(-1)!, [...patch], true, false).newDocument
    expect(hashOf(after, row!.secret)).toBe(hash)
    docs.push(after)
  }
  const events = new Map<string, Array<Event>>()
  for (const event of all) {
    const { write } = event.meta
    if (typeof write === "string") events.set(write, [...(events.get(write) ?? []), event])
  }
  return { docs, hashes: docs.map((doc) => hashOf(doc, row!.secret)), events }
}

test(
  "eight processes write one branch, half of them are killed, and nothing is lost, twice, or untold",
  { timeout: 90_000 },
  async () => {
    const seed = seedFor("eight processes on one branch")
    await log.engine.defineState({ agent: AGENT, rules: [{ path: "/persistent/sum", number: "counter" }] })
    const state = log.engine.state(AGENT)
    const hot = Object.fromEntries(upTo(HOT).map((n) => [`hot${n}`, "new"]))
    await state.update({ shared: { ...hot, count: 0 }, persistent: { sum: 0 } })

    const one = { database: log.db.url, agent: AGENT, callers: CALLERS, writes: WRITES, hot: HOT }
    const { between } = random(seed)
    const workers = upTo(PROCESSES).map((n) =>
      startWorker<Said>("state-writer", {
        input: {
          ...one,
          name: `p${n}`,
          seed: seed + n,
          ...(n <= DEATHS.length && { dies: DEATHS[n - 1], last: between(CALLERS, (CALLERS * WRITES) / 2) })
        }
      })
    )
    const victims = workers.slice(0, DEATHS.length)
    const others = workers.slice(DEATHS.length)
    const said: Array<Said> = []
    try {
      await Promise.all(workers.map((worker) => worker.saysThat(({ ready }) => ready === true, patience)))
      for (const worker of workers) worker.send("go")
      for (const victim of victims) expect((await victim.exited).signal).toBe("SIGKILL")
      await Promise.all(others.map((worker) => worker.saysThat(({ over }) => over === true, patience)))
    } finally {
      await Promise.all(workers.map((worker) => worker.kill()))
      said.push(...workers.flatMap((worker) => worker.said))
    }

    const history = await followed()
    expect(wrongs(said, history)).toEqual([])
    const unanswered = (some: ReadonlyArray<Said>) =>
      some.filter(({ sent }) => sent !== undefined).length -
      some.filter(({ answer }) => answer !== undefined).length
    expect(unanswered(others.flatMap((worker) => worker.said))).toBe(0)
    expect(unanswered(victims[0]!.said)).toBeGreaterThan(0)

    const last = history.docs.at(-1)!
    const writes = made(said, history)
    const count = (path: string) => writes.filter(({ changes }) => changes[0]!.key === path).length
    expect([last.shared["count"], last.persistent["sum"]]).toEqual([count("count"), count("sum")])
    const owns = writes.flatMap(({ changes }) => changes.filter(({ tier }) => tier === "local"))
    expect(last.local).toEqual(Object.fromEntries(owns.map(({ key, value }) => [key, value])))

    await folded(log)
    const [kept] = await log.db.query<Record<string, unknown>>(
      "select * from tidemark.agent_states where agent_id = $1 and is_current",
      [AGENT]
    )
    expect(kept).toMatchObject({
      local_state: last.local,
      shared_state: last.shared,
      persistent_state: last.persistent,
      state_hash: history.hashes.at(-1)
    })
    for (const engine of [log.engine, await log.open()])
      expect(docOf(await engine.state(AGENT).read())).toEqual(last)
    expect(await state.verify()).toMatchObject({ isSound: true, stale: [], version: history.docs.length - 1 })
    expect(said.filter(({ answer }) => answer?.conflict !== undefined).length).toBeGreaterThan(0)
  }
)
