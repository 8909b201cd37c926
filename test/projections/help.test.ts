import { describe, expect, test } from "vitest"
import { type HelpStatus, NEXT } from "../../projections/help/life-cycle.ts"
import { NotAllowed, NotFound } from "../../src/errors.ts"
import { testLog } from "../log/test-log.ts"
import { random, seedFor } from "../support/random.ts"

const log = testLog()

let made = 0
const fresh = (name: string) => `${name}-${(made += 1)}`

const asked = async (request = fresh("r")) => {
  await log.engine.help.ask({ request, user: "ada", content: "Why?" })
  return request
}

const statuses = Object.keys(NEXT) as ReadonlyArray<HelpStatus>

/** A request in a status, by a way that leads there. */
const inStatus = async (status: HelpStatus) => {
  const request = await asked()
  if (status !== "pending") await log.engine.help.setStatus({ request, status })
  return request
}

describe("a request for help", () => {
  test("is pending, gets answers, and keeps both with who and when", async () => {
    const { help } = log.engine
    const user = fresh("user")
    const { request, position } = await help.ask({
      user,
      content: "Why?",
      context: { agent: "a-1", at: [1, null] },
      priority: "critical",
      occurredAt: "2026-01-31T12:00:00Z"
    })
    expect(request).toMatch(/^[0-9a-f-]{36}$/)
    const pending = (await help.get({ request }))!
    expect(pending).toMatchObject({
      id: position,
      user,
      content: "Why?",
      context: { agent: "a-1", at: [1, null] },
      status: "pending",
      priority: "critical",
      answers: 0,
      responses: [],
      closedAt: null,
      createdAt: new Date("2026-01-31T12:00:00Z"),
      occurredAt: new Date("2026-01-31T12:00:00Z")
    })
    const first = await help.answer({
      request,
      content: "So.",
      confidence: 0.1,
      sources: ["a", { page: 2 }],
      agent: "h-1"
    })
    const second = await help.answer({ request, content: "No: so." })
    const answered = (await help.get({ request }))!
    expect(answered).toMatchObject({
      status: "answered",
      answers: 2,
      occurredAt: null,
      createdAt: pending.createdAt
    })
    expect(answered.updatedAt.getTime()).toBeGreaterThanOrEqual(pending.updatedAt.getTime())
    expect(answered.responses).toMatchObject([
      {
        id: first.position,
        response: first.response,
        confidence: 0.1,
        sources: ["a", { page: 2 }],
        agent: "h-1"
      },
      { id: second.position, response: second.response, confidence: null, sources: null, agent: null }
    ])
    expect(await help.get({ request: fresh("nobody") })).toBeNull()
  })

  const ways = statuses.flatMap((from) => statuses.map((to) => [from, to] as const))

  test.each(ways)(
    "that is %s and is to be %s goes there, or is refused with what it may be",
    async (from, to) => {
      const { help } = log.engine
      const request = await inStatus(from)
      const changing = help.setStatus({ request, status: to })
      if (NEXT[from].includes(to)) {
        await changing
        expect(await help.get({ request })).toMatchObject({ status: to })
        return
      }
      const refused = await changing.catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(NotAllowed)
      expect(refused).toMatchObject({ operation: "help.setStatus", status: from, allowed: NEXT[from] })
      for (const allowed of NEXT[from]) expect((refused as Error).message).toContain(allowed)
      expect(await help.get({ request })).toMatchObject({ status: from })
    }
  )

  test.each(statuses)("that is %s takes an answer, unless it is closed", async (status) => {
    const { help } = log.engine
    const request = await inStatus(status)
    const answering = help.answer({ request, content: "!" })
    if (status === "closed") await expect(answering).rejects.toBeInstanceOf(NotAllowed)
    else await answering
    const now = await help.get({ request })
    expect(now).toMatchObject(
      status === "closed" ? { status, answers: 0 } : { status: "answered", answers: 1 }
    )
  })

  test("is closed and opened again, and says when", async () => {
    const { help } = log.engine
    const request = await asked()
    await help.close({ request, reason: "solved", occurredAt: "2026-01-31T12:00:00Z" })
    expect(await help.get({ request })).toMatchObject({
      status: "closed",
      closedAt: new Date("2026-01-31T12:00:00Z")
    })
    await expect(help.close({ request })).rejects.toMatchObject({ _tag: "NotAllowed", allowed: ["pending"] })
    await help.reopen({ request })
    expect(await help.get({ request })).toMatchObject({ status: "pending", closedAt: null })
    await expect(help.reopen({ request })).rejects.toBeInstanceOf(NotAllowed)
    const reasons: Array<unknown> = []
    for await (const { meta } of log.engine.read(`help-${request}`)) reasons.push(meta.reason)
    expect(reasons).toEqual([undefined, "solved", undefined])
  })

  test("that is not there is not answered, nor changed, and says so", async () => {
    const { help } = log.engine
    const request = fresh("nobody")
    for (const refused of [
      () => help.answer({ request, content: "!" }),
      () => help.setStatus({ request, status: "in_progress" }),
      () => help.close({ request }),
      () => help.reopen({ request })
    ])
      await expect(refused()).rejects.toBeInstanceOf(NotFound)
    await expect(help.close({ request })).rejects.toThrow(JSON.stringify(request))
  })

  test("is made once under one id, also by two engines at the same time", async () => {
    const other = await log.open()
    const request = fresh("r")
    const asking = [log.engine, other].map((engine, nth) =>
      engine.help.ask({ request, user: `u-${nth}`, content: "?" })
    )
    const settled = await Promise.allSettled(asking)
    expect(settled.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"])
    const refused = settled.find((one) => one.status === "rejected")!.reason as NotAllowed
    expect(refused).toMatchObject({ _tag: "NotAllowed", operation: "help.ask" })
  })

  test("is taken into work by one of many who want it, and gets the answers of all", async () => {
    const other = await log.open()
    const request = await asked()
    const WORKERS = 12
    const each = <A>(work: (engine: typeof other, nth: number) => Promise<A>) =>
      Promise.allSettled(
        Array.from({ length: WORKERS }, (_, nth) => work(nth % 2 === 0 ? log.engine : other, nth))
      )
    const taken = await each((engine) => engine.help.setStatus({ request, status: "in_progress" }))
    expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
    for (const one of taken) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(NotAllowed)
    const answers = await each((engine, nth) => engine.help.answer({ request, content: String(nth) }))
    expect(answers.filter(({ status }) => status === "rejected")).toEqual([])
    const after = answers.map((one) => (one.status === "fulfilled" ? one.value : undefined)!)
    const { token } = after.reduce((last, one) => (one.position > last.position ? one : last))
    expect(await log.engine.help.get({ request }, { after: token })).toMatchObject({ answers: WORKERS })
  })
})

test("requests are listed by status, user and priority, page by page", async () => {
  const { help } = log.engine
  const user = fresh("user")
  const requests: Array<string> = []
  for (const priority of ["low", "high", "low", "high", "low"] as const)
    requests.push((await help.ask({ user, content: "?", priority })).request)
  await help.close({ request: requests[2]! })
  const listed = async (given: Parameters<typeof help.list>[0]) =>
    (await help.list({ user, ...given })).map(({ request }) => requests.indexOf(request))
  expect(await listed({})).toEqual([4, 3, 2, 1, 0])
  expect(await listed({ priority: "low" })).toEqual([4, 2, 0])
  expect(await listed({ status: "closed" })).toEqual([2])
  expect(await listed({ status: "pending", priority: "low" })).toEqual([4, 0])
  const [, second] = await help.list({ user, limit: 2 })
  expect(await listed({ limit: 2, before: second!.id })).toEqual([2, 1])
})

test("whatever is in the streams of requests folds alike live, cut anywhere, and rebuilt, and as the commands see it", async () => {
  const { chance, oneOf } = random(seedFor("help"))
  const { engine } = log
  const requests = [fresh("any"), fresh("any"), fresh("any")]
  const events = () =>
    oneOf([
      {
        type: "HelpRequested",
        data: { user: oneOf(["u", "v"]), content: "?", priority: oneOf(["low", "high"]) }
      },
      { type: "HelpAnswered", data: { content: "!" } },
      { type: "HelpStatusChanged", data: { status: oneOf(statuses), occurredAt: "2026-01-31T12:00:00Z" } },
      { type: "SomethingElse", data: {} }
    ])
  const STEPS = 60
  for (let step = 0; step < STEPS; step++) {
    await engine.emit(`help-${oneOf(requests)}`, [events(), events()])
    if (chance(0.2)) await engine.emit(`other-${step}`, events())
    // Waits until it is folded, so that batches are cut here.
    if (chance(0.4)) await engine.help.list()
  }
  const live = await Promise.all(requests.map((request) => engine.help.get({ request })))
  for (const row of live) expect(row!.responses).toHaveLength(row!.answers)
  const { verified } = await engine.rebuild("help", { verify: true })
  expect(
    verified?.tables.map(({ different, onlyLive, onlyRebuilt }) => [different, onlyLive, onlyRebuilt])
  ).toEqual([
    [0, 0, 0],
    [0, 0, 0]
  ])
  for (const row of live) {
    const wrong = statuses.filter((status) => !NEXT[row!.status].includes(status))
    for (const status of wrong)
      await expect(engine.help.setStatus({ request: row!.request, status })).rejects.toMatchObject({
        status: row!.status
      })
  }
})
