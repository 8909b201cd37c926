import { describe, expect, test } from "vitest"
import { HandlerFailed, InvalidArgument } from "../../src/index.ts"
import { type StateChange, UnknownBranch, UnknownRef, type WatchOptions } from "../../src/state.ts"
import { eventsOf, testLog, upTo } from "../log/test-log.ts"
import { damageEvent } from "../state/damage.ts"
import { collector, until } from "../support/eventually.ts"
import { startProxy } from "../support/proxy.ts"

const log = testLog()

let made = 0
const fresh = () => log.engine.state(`watched-${(made += 1)}`)
type State = ReturnType<typeof fresh>

/** Watches, and gathers what is handed over. */
const watching = async (state: State, paths: ReadonlyArray<string>, options: WatchOptions = {}) => {
  const seen = collector<StateChange>()
  const watch = await state.watch(paths, seen.push, options)
  return { ...seen, watch }
}

/** Damages what was folded before. */
const damage = async (state: State, version: number) => {
  await log.engine.states.branches({ agent: state.agent })
  await damageEvent(log, state, version)
}

const short = ({ changes }: StateChange) => changes.map(({ path, before, after }) => [path, before, after])

describe("a watch", () => {
  test("hands over what changes, with both values, who did it and why, and a token of the state after it", async () => {
    const state = fresh()
    await state.update({ shared: { plan: ["a"], other: 1 } })
    const { reaches, watch } = await watching(state, ["/shared/plan"])
    await state.update({ shared: { other: 2 } })
    const { version, token } = await state.update(
      { shared: { plan: ["b"] } },
      { actor: "ada", reason: "better" }
    )
    await state.update({ shared: { plan: null } })
    const [first, second] = await reaches(2)
    expect(first).toMatchObject({
      changes: [{ path: "/shared/plan", before: ["a"], after: ["b"] }],
      agent: state.agent,
      branch: "main",
      version,
      actor: "ada",
      reason: "better",
      token,
      event: { type: "StateChanged" }
    })
    expect(first!.at).toBeInstanceOf(Date)
    expect(short(second!)).toEqual([["/shared/plan", ["b"], undefined]])
    expect((await state.read({ token: first!.token })).shared).toEqual({ plan: ["b"], other: 2 })
    await watch.stop()
    await watch.done
  })

  test("of an agent that nobody has written begins with its first update, in another engine, too", async () => {
    const state = fresh()
    const elsewhere = (await log.open()).state(state.agent)
    const [here, there] = [await watching(state, ["/local/**"]), await watching(elsewhere, ["/local/**"])]
    await state.update({ local: { a: { b: 1 } } })
    for (const { reaches } of [here, there])
      expect((await reaches(1)).map(short)).toEqual([[["/local/a", undefined, { b: 1 }]]])
  })

  test("tells all that an event has changed at once, and never that of another branch", async () => {
    const state = fresh()
    await state.update({ local: { a: 1 }, shared: { b: 1 } })
    await state.branch("side")
    const { reaches } = await watching(state, ["/local/a", "/shared/*"])
    await state.on("side").update({ local: { a: 7 } })
    await state.update({ local: { a: 2, c: 1 }, shared: { b: 2, d: 1 }, persistent: { e: 1 } })
    const [change] = await reaches(1)
    expect(short(change!)).toEqual([
      ["/local/a", 1, 2],
      ["/shared/b", 1, 2],
      ["/shared/d", undefined, 1]
    ])
  })

  test("goes on from the token of any change with the next one, once each", async () => {
    const state = fresh()
    const { token: start } = await state.update({ local: { n: 0 } })
    for (const n of upTo(6)) await state.update({ local: { n, [`k${n}`]: n }, shared: { n } })
    const all = await watching(state, ["/local/*"], { from: start })
    await all.reaches(6)
    const versions = () => all.items.map(({ version }) => version)
    for (const [at, { token }] of all.items.slice(0, 6).entries()) {
      const rest = await watching(state, ["/local/*"], { from: token })
      const last = await state.update({ local: { n: `after ${at}` } })
      for (const { first } of [all, rest]) await first(({ version }) => version === last.version)
      expect(rest.items.map(({ version }) => version)).toEqual(versions().slice(at + 1))
      expect(rest.items.map(short)).toEqual(all.items.slice(at + 1).map(short))
      await rest.watch.stop()
    }
  })

  test("has a token that moves on where nothing that it watches changes", async () => {
    const state = fresh()
    await state.update({ local: { a: 1 } })
    const { watch, items } = await watching(state, ["/local/a"])
    const before = watch.token!
    const { position } = await log.engine.emit(log.stream(), { type: "Elsewhere" })
    await state.update({ local: { b: 1 } })
    const positionOf = (token: string) => Number(token.split(".")[3])
    await until(() => positionOf(watch.token!) > position)
    expect(positionOf(watch.token!)).toBeGreaterThan(positionOf(before))
    await watch.stop()
    expect(items).toEqual([])
    await state.update({ local: { a: 2 } })
    const { reaches } = await watching(state, ["/local/a"], { from: watch.token! })
    expect((await reaches(1)).map(short)).toEqual([[["/local/a", 1, 2]]])
  })

  test("tells of merges, reverts, restores and sessions as of any change", async () => {
    const state = fresh()
    await state.update({ shared: { plan: "a" } })
    const checkpoint = await state.checkpoint()
    await state.branch("side")
    await state.on("side").update({ shared: { plan: "b" } })
    const { reaches } = await watching(state, ["/shared/plan", "/session/**"])
    await state.merge("side")
    const { version } = await state.update({ shared: { plan: "c" } })
    await state.revert(version)
    await state.restore(checkpoint)
    await state.startSession("s")
    await state.update({ session: { x: 1 } })
    await state.endSession()
    expect((await reaches(6)).map(short)).toEqual([
      [["/shared/plan", "a", "b"]],
      [["/shared/plan", "b", "c"]],
      [["/shared/plan", "c", "b"]],
      [["/shared/plan", "b", "a"]],
      [["/session/x", undefined, 1]],
      [["/session/x", 1, undefined]]
    ])
  })

  test("of a branch that is deleted sees everything go, and come when there is one of that name again", async () => {
    const state = fresh()
    await state.update({ local: { a: 1 } })
    await state.branch("side")
    const { reaches } = await watching(state.on("side"), ["/local/a"])
    await state.on("side").update({ local: { a: 2 } })
    await state.deleteBranch("side")
    await state.branch("side")
    await state.on("side").update({ local: { a: 3 } })
    expect((await reaches(4)).map(short)).toEqual([
      [["/local/a", 1, 2]],
      [["/local/a", 2, undefined]],
      [["/local/a", undefined, 1]],
      [["/local/a", 1, 3]]
    ])
  })

  test("tells what a repair took back, and of nothing that it passed over", async () => {
    const state = fresh()
    const { token: start } = await state.update({ local: { n: 1 } })
    const { reaches } = await watching(state, ["/local/n"])
    for (const n of [2, 3, 4]) await state.update({ local: { n } })
    await reaches(3)
    await damage(state, 4)
    await state.repair()
    await state.update({ local: { n: 5 } })
    expect((await reaches(5)).slice(3).map(short)).toEqual([[["/local/n", 4, 2]], [["/local/n", 2, 5]]])
    const later = await watching(state, ["/local/n"], { from: start })
    expect((await later.reaches(3)).map(short)).toEqual([
      [["/local/n", 1, 2]],
      [["/local/n", undefined, 2]],
      [["/local/n", 2, 5]]
    ])
  })

  test("goes on from the token of a version that a repair passed over with what there is", async () => {
    const state = fresh()
    for (const n of upTo(3)) await state.update({ local: { n } })
    const { token } = await state.read()
    await damage(state, 3)
    await state.repair()
    const { reaches } = await watching(state, ["/local/n"], { from: token })
    await state.update({ local: { n: 9 } })
    expect((await reaches(2)).map(short)).toEqual([[["/local/n", undefined, 1]], [["/local/n", 1, 9]]])
  })

  test("goes on from the token of a state that nobody had written", async () => {
    const state = fresh()
    const { token } = await state.read()
    const { watch } = await watching(state, ["/local/n"])
    await state.update({ local: { n: 1 } })
    for (const from of [token, watch.token!]) {
      const { first } = await watching(state, ["/local/n"], { from })
      expect(short(await first(() => true))).toEqual([["/local/n", undefined, 1]])
    }
  })

  test("whose handler fails ends before that change, and says so", async () => {
    const state = fresh()
    const watch = await state.watch(["/local/n"], () => {
      throw new Error("no")
    })
    await state.update({ local: { n: 1 } })
    await expect(watch.done).rejects.toBeInstanceOf(HandlerFailed)
    await watch.stop()
  })

  test("is the cause of what its handler emits", async () => {
    const state = fresh()
    const stream = log.stream()
    const { reaches, push } = collector<StateChange>()
    await state.watch(["/local/n"], async (change) => {
      await log.engine.emit(stream, { type: "Noticed" })
      push(change)
    })
    for (const n of upTo(3)) await state.update({ local: { n } })
    const ids = (await reaches(3)).map(({ event }) => event.id)
    expect((await eventsOf(log.engine, stream)).map(({ meta }) => meta.causationId)).toEqual(ids)
  })
})

describe("a watch under a name", () => {
  test("keeps its place, whoever watches", async () => {
    const state = fresh()
    const options = { name: `keeps-${state.agent}` }
    const one = await watching(state, ["/local/n"], options)
    await state.update({ local: { n: 1 } })
    await one.reaches(1)
    await one.watch.stop()
    await state.update({ local: { n: 2 } })
    const other = await watching((await log.open()).state(state.agent), ["/local/n"], options)
    expect((await other.reaches(1)).map(short)).toEqual([[["/local/n", 1, 2]]])
    await other.watch.stop()
    await other.watch.control!.delete()
  })

  test("hands the same change over again where that failed", async () => {
    const state = fresh()
    const seen = collector<StateChange>()
    const watch = await state.watch(
      ["/local/n"],
      (change) => {
        seen.push(change)
        if (seen.items.length === 2) throw new Error("not yet")
      },
      { name: `again-${state.agent}`, retry: { firstMs: 1 } }
    )
    for (const n of [1, 2, 3]) await state.update({ local: { n } })
    expect((await seen.reaches(4)).map(short)).toEqual([
      [["/local/n", undefined, 1]],
      [["/local/n", 1, 2]],
      [["/local/n", 1, 2]],
      [["/local/n", 2, 3]]
    ])
    await watch.stop()
    await watch.control!.delete()
  })

  test("hands over again what a repair took back where that failed", async () => {
    const state = fresh()
    const seen = collector<StateChange>()
    let fails = 1
    const watch = await state.watch(
      ["/local/n"],
      (change) => {
        seen.push(change)
        if (change.event.type === "StateRepaired" && (fails -= 1) >= 0) throw new Error("not yet")
      },
      { name: `taken-back-${state.agent}`, retry: { firstMs: 1 } }
    )
    for (const n of upTo(3)) await state.update({ local: { n } })
    await seen.reaches(3)
    await damage(state, 4)
    await state.repair()
    expect((await seen.reaches(5)).slice(3).map(short)).toEqual([[["/local/n", 3, 2]], [["/local/n", 3, 2]]])
    await watch.stop()
    await watch.control!.delete()
  })

  test("does not count it as a failure of the handler that the server does not answer", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await using proxy = await startProxy(log.db.url)
    const behind = (await log.open({ database: proxy.url })).state(state.agent)
    const options = { name: `patient-${state.agent}`, retry: { attempts: 1 } }
    const { reaches, watch } = await watching(behind, ["/local/n"], options)
    const lost = proxy.loseReply(/load_branch/, "cut")
    await state.update({ local: { n: 2 } })
    await lost
    await state.update({ local: { n: 3 } })
    expect((await reaches(2)).map(short)).toEqual([[["/local/n", 1, 2]], [["/local/n", 2, 3]]])
    expect(await watch.control!.parked()).toEqual([])
    await watch.stop()
    await watch.control!.delete()
  })

  test("is joined while there is no such branch", async () => {
    const state = fresh()
    await state.update({ local: { n: 1 } })
    await state.branch("side")
    const options = { name: `joined-${state.agent}` }
    const one = await watching(state.on("side"), ["/local/n"], options)
    await one.watch.stop()
    await state.deleteBranch("side")
    const other = await watching(state.on("side"), ["/local/n"], options)
    expect((await other.reaches(1)).map(short)).toEqual([[["/local/n", 1, undefined]]])
    await other.watch.stop()
    await other.watch.control!.delete()
  })

  test("commits what its handler writes with its place, where it is transactional", async () => {
    const state = fresh()
    await log.db.query("create table noticed (n integer)")
    const options = { name: `once-${state.agent}`, transactional: true, retry: { firstMs: 1 } }
    let fails = 2
    const seen = collector<StateChange>()
    const watch = await state.watch(
      ["/local/n"],
      async (change, context) => {
        if (context === undefined || !("tx" in context)) throw new Error("there is no transaction")
        await context.tx.query("insert into noticed values ($1)", [change.changes[0]!.after])
        if ((fails -= 1) >= 0) throw new Error("not yet")
        seen.push(change)
      },
      options
    )
    for (const n of [1, 2, 3]) await state.update({ local: { n } })
    await seen.reaches(3)
    await watch.stop()
    expect(await log.db.query("select n from noticed order by n")).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    await watch.control!.delete()
  })
})

describe("refused is a watch", () => {
  test.each([
    ["of no path", []],
    ["of what is no pointer", ["shared/plan"]],
    ["of no tier", ["/global/plan"]],
    ["of no text", [7 as never]],
    ["of no list", "/shared" as never]
  ])("%s", async (_, paths) => {
    await expect(fresh().watch(paths, () => {})).rejects.toBeInstanceOf(InvalidArgument)
  })

  test.each([{ transactional: true }, { retry: { attempts: 1 } }, { timeoutMs: 1_000 }])(
    "with %o and no name",
    async (options) => {
      await expect(fresh().watch(["/shared"], () => {}, options)).rejects.toBeInstanceOf(InvalidArgument)
    }
  )

  test("without a handler", async () => {
    await expect(fresh().watch(["/shared"], undefined as never)).rejects.toBeInstanceOf(InvalidArgument)
  })

  test("of a branch that is not there", async () => {
    await expect(
      fresh()
        .on("none")
        .watch(["/shared"], () => {})
    ).rejects.toBeInstanceOf(UnknownBranch)
  })

  test("from a token of another agent, of another branch, or of none", async () => {
    const [state, other] = [fresh(), fresh()]
    const { token } = await other.update({ local: { n: 1 } })
    await state.update({ local: { n: 1 } })
    await state.branch("side")
    const side = await state.on("side").read()
    await expect(state.watch(["/local"], () => {}, { from: token })).rejects.toBeInstanceOf(UnknownRef)
    await expect(state.watch(["/local"], () => {}, { from: side.token })).rejects.toBeInstanceOf(
      InvalidArgument
    )
    await expect(state.watch(["/local"], () => {}, { from: "no" })).rejects.toBeInstanceOf(InvalidArgument)
  })
})
