import fc from "fast-check"
import type { Engine } from "../../../src/index.ts"
import { random } from "../../support/random.ts"
import type { TestLog } from "../../log/test-log.ts"
import { Check } from "./check.ts"
import { program, type Step } from "./programs.ts"
import { Scene } from "./scene.ts"
import { perform } from "./steps.ts"

export interface Trial {
  readonly seed: number
  readonly programs: number
  readonly length: number
}

const inShort = (value: unknown): string => JSON.stringify(value).replaceAll(/(\d)\1{20,}/g, "$1…")

const run = async (scene: Scene, steps: ReadonlyArray<Step>): Promise<void> => {
  for (const [nth, step] of steps.entries())
    await perform(scene, step).catch((cause: unknown) => {
      throw new Error(`step ${nth}, ${inShort(step)}`, { cause })
    })
}

/** Compares all that an engine reads with what the model has, of all agents of a scene. */
export const checkAll = async (log: TestLog, engine: Engine, scene: Scene, seed: number): Promise<void> => {
  for (const agent of scene.agents) {
    const check = await Check.of(engine, log.db, agent)
    await check.heads()
    await check.versions()
    await check.histories()
    await check.differences(random(seed))
  }
}

/** Runs random programs on two engines; after each, they and an engine that knows nothing yet read what the model has. */
export const tried = async (
  log: TestLog,
  { seed, programs, length }: Trial
): Promise<ReadonlyArray<Scene>> => {
  const engines = [log.engine, await log.open()]
  const scenes: Array<Scene> = []
  const property = fc.asyncProperty(fc.noBias(program(length)), async (steps) => {
    const scene = await Scene.open(engines, `model-${seed}-${scenes.length}`)
    scenes.push(scene)
    await run(scene, steps)
    const cold = await log.open()
    for (const agent of scene.agents) await (await Check.of(cold, log.db, agent)).heads()
    await cold.close()
    await checkAll(log, engines[1]!, scene, seed)
  })
  await fc.assert(property, {
    seed,
    numRuns: programs,
    // A smaller program is made only where somebody waits for it: each try takes a second.
    endOnFailure: process.env["TIDEMARK_TEST_SHRINK"] === undefined,
    reporter: ({ failed, counterexample, counterexamplePath, errorInstance }) => {
      if (!failed) return
      const steps = (counterexample ?? [[]])[0].map(inShort).join("\n")
      throw new Error(`program ${counterexamplePath}:\n${steps}`, { cause: errorInstance })
    }
  })
  return scenes
}

/** How often steps of all kinds came to what. */
export const outcomesOf = (scenes: ReadonlyArray<Scene>): ReadonlyMap<string, number> => {
  const all = new Map<string, number>()
  for (const { outcomes } of scenes)
    for (const [what, count] of outcomes) all.set(what, count + (all.get(what) ?? 0))
  return all
}
