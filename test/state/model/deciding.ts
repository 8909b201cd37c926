import { abortMerge, finishMerge, resolveMerge } from "./merges.ts"
import type { Doing } from "./programs.ts"
import type { Place } from "./references.ts"
import type { Scene } from "./scene.ts"

type Does<Kind extends Doing["kind"]> = Extract<Doing, { readonly kind: Kind }>

export const resolve = async (
  scene: Scene,
  { engine }: Place,
  { merge: nth, conflict, use }: Does<"resolve">
): Promise<void> => {
  const merge = scene.merge(nth, true)
  if (merge === undefined) return
  const path = merge.conflicts[conflict % Math.max(1, merge.conflicts.length)]?.path ?? "/local/none"
  const resolution = { use: use === "value" ? { value: "decided" } : use }
  await scene.agree(
    "resolve",
    () => engine.states.merge(scene.ids.get(merge)!).resolve(path, resolution),
    () => resolveMerge(merge, path, resolution)
  )
}

export const finish = async (
  scene: Scene,
  { engine }: Place,
  { merge: nth }: Does<"finish">
): Promise<void> => {
  const merge = scene.merge(nth)
  if (merge === undefined) return
  await scene.agree(
    "finish",
    () => engine.states.merge(scene.ids.get(merge)!).finish(),
    () => finishMerge(merge),
    () => merge.agent.live(merge.target)!.head
  )
}

export const abort = async (
  scene: Scene,
  { engine }: Place,
  { merge: nth }: Does<"abort">
): Promise<void> => {
  const merge = scene.merge(nth)
  if (merge === undefined) return
  await scene.agree(
    "abort",
    () => engine.states.merge(scene.ids.get(merge)!).abort(),
    () => abortMerge(merge)
  )
}
