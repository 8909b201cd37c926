import { expect } from "vitest"
import { DONE, refused } from "./answer.ts"
import type { ModelAgent } from "./model.ts"
import type { Doing } from "./programs.ts"
import type { Place } from "./references.ts"
import type { ModelCheckpoint, Scene } from "./scene.ts"
import type { Version } from "./version.ts"

const ownerOf = ({ agents }: Scene, { branch }: Version): ModelAgent =>
  agents.find(({ agent }) => agent === branch.agent)!

const chosen = ({ checkpoints }: Scene, nth: number): ModelCheckpoint | undefined =>
  checkpoints[nth % Math.max(1, checkpoints.length)]

/** Of one branch, or of `main` of both agents. */
export const checkpoint = async (
  scene: Scene,
  { engine, agent, name, state }: Place,
  { together }: Extract<Doing, { readonly kind: "checkpoint" }>
): Promise<void> => {
  const of = together ? scene.agents.map((one) => [one, "main"] as const) : [[agent, name] as const]
  const places = of.map(([one, branch]) => ({ agent: one.agent, branch }))
  const made = await scene.agree(
    "checkpoint",
    () => (together ? engine.checkpoint({ agents: places }) : state.checkpoint()),
    () => {
      const answers = of.map(([one, branch]) => one.note(branch, "StateCheckpointed"))
      return answers.find(({ tag }) => tag === "refused") ?? DONE
    }
  )
  if (made === undefined) return
  const { checkpoint: id, parts: told } = made as { checkpoint: string; parts: unknown }
  const parts = of.map(([one, branch]) => one.live(branch)!.head)
  expect(told).toEqual(places.map((one, at) => ({ ...one, version: parts[at]!.version })))
  const point = { parts, isDropped: false }
  scene.checkpoints.push(point)
  scene.ids.set(point, id)
}

/** One branch, to where the agent was; or, together, all that the checkpoint is of. */
export const restore = async (
  scene: Scene,
  { engine, agent, name, state }: Place,
  { checkpoint: nth, merge, together }: Extract<Doing, { readonly kind: "restore" }>
): Promise<void> => {
  const point = chosen(scene, nth)
  if (point === undefined) return
  const id = scene.ids.get(point)!
  if (!together) {
    await scene.agree(
      "restore",
      () => state.restore(id, { merge }),
      () => {
        const part = point.parts.find(({ branch }) => branch.agent === agent.agent)
        if (point.isDropped || part === undefined) return refused("UnknownCheckpoint")
        return agent.restore(name, part.doc, merge)
      },
      () => agent.live(name)!.head
    )
    return
  }
  await scene.agree(
    "restore together",
    () => engine.restore(id, { merge }),
    () => {
      if (point.isDropped) return refused("UnknownCheckpoint")
      const isGone = point.parts.some((part) => ownerOf(scene, part).live(part.branch.name) === undefined)
      if (isGone) return refused("UnknownBranch")
      for (const part of point.parts) ownerOf(scene, part).restore(part.branch.name, part.doc, merge, true)
      return DONE
    }
  )
}

export const drop = async (
  scene: Scene,
  { agent, state }: Place,
  { checkpoint: nth }: Extract<Doing, { readonly kind: "drop" }>
): Promise<void> => {
  const point = chosen(scene, nth)
  if (point === undefined) return
  const { branch } = point.parts[0]!
  await scene.agree(
    "drop",
    () => state.dropCheckpoint(scene.ids.get(point)!),
    () => {
      if (branch.agent !== agent.agent) return refused("UnknownCheckpoint")
      if (point.isDropped) return DONE
      const answer = agent.note(
        agent.live(branch.name) === undefined ? "main" : branch.name,
        "StateCheckpointDropped"
      )
      if (answer.tag === "refused") return answer
      point.isDropped = true
      return DONE
    }
  )
}
