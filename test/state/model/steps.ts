import { expect } from "vitest"
import { DONE, refused } from "./answer.ts"
import { docOf, emptyDoc, TIERS, type Value } from "./document.ts"
import { abort, finish, resolve } from "./deciding.ts"
import { mergeInto, revertTo } from "./merges.ts"
import type { Update } from "./model.ts"
import { checkpoint, drop, restore } from "./checkpoints.ts"
import { operationsOf } from "./operations.ts"
import { type Doing, type Step, TAGS } from "./programs.ts"
import { find, nameOf, type Place, seen } from "./references.ts"
import { RULES, type Scene } from "./scene.ts"
import type { Version } from "./version.ts"

type Done<Kind extends Doing["kind"]> = (
  scene: Scene,
  place: Place,
  does: Extract<Doing, { readonly kind: Kind }>
) => Promise<unknown>

const headOf =
  ({ agent, name }: Place) =>
  (): Version =>
    agent.live(name)!.head

/** How a step of each kind is done, on both sides. */
const DOING: { readonly [Kind in Doing["kind"]]: Done<Kind> } = {
  update: (scene, place, { values, base: nth }) => {
    const { agent, name, state } = place
    const base = nth === null ? undefined : seen(scene, place, nth)
    const update: { [tier: string]: { [key: string]: Value } } = {}
    for (const [tier, key, value] of values) (update[TIERS[tier]!] ??= {})[key] = value
    return scene.agree(
      "update",
      () => state.update(update, base === undefined ? {} : { base: base.like.token! }),
      () => (base?.refusal ? refused(base.refusal) : agent.update(name, update as Update, base?.version)),
      headOf(place)
    )
  },
  patch: (scene, place, { operations, base: nth }) => {
    const { agent, name, state } = place
    const base = nth === null ? undefined : seen(scene, place, nth)
    const patch = operationsOf(base?.version?.doc ?? agent.live(name)?.head.doc ?? emptyDoc(), operations)
    return scene.agree(
      "patch",
      () => state.patch(patch, base === undefined ? {} : { base: base.like.token! }),
      () => (base?.refusal ? refused(base.refusal) : agent.patch(name, patch, base?.version)),
      headOf(place)
    )
  },
  commit: async (scene, place, { message }) => {
    const { agent, name, state } = place
    const more = { message }
    const made = await scene.agree(
      "commit",
      () => state.commit(message),
      () => agent.note(name, "StateCommitted", more),
      headOf(place)
    )
    if (made !== undefined) scene.ids.set(headOf(place)(), (made as { commit: string }).commit)
  },
  tag: (scene, place, { tag: nth, of, move }) => {
    const { agent, state } = place
    const { like, version, refusal } = find(scene, place, of)
    const tag = TAGS[nth]!
    return scene.agree(
      "tag",
      () => state.tag(tag, like, { move }),
      () => {
        if (version === undefined) return refused(refusal === "empty" ? "UnknownRef" : refusal!)
        if (agent.tags.has(tag) && !move) return refused("TagExists")
        agent.tags.set(tag, version)
        return { tag: "done", version: version.version }
      }
    )
  },
  untag: (scene, { agent, state }, { tag: nth }) =>
    scene.agree(
      "untag",
      () => state.untag(TAGS[nth]!),
      () => (agent.tags.delete(TAGS[nth]!) ? DONE : refused("UnknownRef"))
    ),
  branch: (scene, place, { to, at }) => {
    const { agent, state } = place
    const { like, version, refusal } = find(scene, place, at)
    return scene.agree(
      "branch",
      () => state.branch(to, { at: like }),
      () =>
        version === undefined
          ? refused(refusal === "empty" ? "UnknownBranch" : refusal!)
          : agent.branch(to, version),
      () => agent.live(to)!.head
    )
  },
  delete: (scene, { agent, state }, { other }) => {
    const name = nameOf(agent, other)
    return scene.agree(
      "delete",
      () => state.deleteBranch(name),
      () => agent.deleteBranch(name)
    )
  },
  merge: async (scene, place, { from: nth, mode, strategy, isRuled }) => {
    const { agent, name, state } = place
    const from = nameOf(agent, nth)
    if (agent.live("main") === undefined) return
    const asked = { mode, strategy, rules: isRuled ? RULES : [] }
    let merge: object | undefined
    const made = await scene.agree(
      "merge",
      () => state.merge(from, asked),
      () => {
        const { answer, pending } = mergeInto(agent, name, from, asked)
        if (pending !== undefined) scene.merges.push(pending)
        merge = pending
        return answer
      },
      headOf(place)
    )
    if (merge !== undefined) scene.ids.set(merge, (made as unknown as { merge: string }).merge)
  },
  resolve,
  finish,
  abort,
  revert: async (scene, place, { of, strategy }) => {
    const { agent, name, state } = place
    const { like, version, refusal } = find(scene, place, of)
    if (refusal === "empty") return
    await scene.agree(
      "revert",
      () => state.revert(like, { strategy }),
      () => (version === undefined ? refused(refusal!) : revertTo(agent, name, version, strategy)),
      headOf(place)
    )
  },
  restoreTo: async (scene, place, { to, merge }) => {
    const { agent, name, state } = place
    const { like, version, refusal } = find(scene, place, to)
    if (refusal === "empty") return
    await scene.agree(
      "restoreTo",
      () => state.restore(like, { merge }),
      () => (version === undefined ? refused(refusal!) : agent.restore(name, version.doc, merge)),
      headOf(place)
    )
  },
  checkpoint,
  restore,
  drop,
  session: (scene, place, { id }) => {
    const { agent, name, state } = place
    return scene.agree(
      "session",
      () => (id === null ? state.endSession() : state.startSession(id)),
      () => (id === null ? agent.endSession(name) : agent.startSession(name, id)),
      headOf(place)
    )
  },
  read: async (scene, place, { of }) => {
    const { like, version, refusal } = find(scene, place, of)
    const isThere = version !== undefined || refusal === "empty"
    const read = await scene.agree(
      "read",
      () => place.state.read(like),
      () => (isThere ? DONE : refused(refusal!)),
      ...(version === undefined ? [] : [() => version])
    )
    if (read !== undefined) expect(docOf(read)).toEqual(version?.doc ?? emptyDoc())
  }
}

/** Does a step of a program. */
export const perform = async (
  scene: Scene,
  { engine: nth, agent: nthAgent, branch, does }: Step
): Promise<void> => {
  const engine = scene.engines[nth]!
  const agent = scene.agents[nthAgent]!
  const name = nameOf(agent, branch)
  const place = { engine, agent, name, state: engine.state(agent.agent).on(name) }
  await (DOING[does.kind] as Done<Doing["kind"]>)(scene, place, does)
}
