import type { EngineState, StateChange } from "../../../dist/src/state.js"
import { now, type Step } from "../event.ts"

/** Where an agent says at which step it is. */
const KEY = "step"

export const PATHS: ReadonlyArray<string> = [`/shared/${KEY}`]

export const reach = async (state: EngineState, step: Step): Promise<void> => {
  await state.update({ shared: { [KEY]: step } })
}

const HEARD_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 20

/** How old each change was when a watch was called back with it, in ms. */
export class Ages {
  private readonly heard: Array<number> = []

  readonly hear = ({ changes }: StateChange): void => {
    this.heard.push(now() - (changes[0]!.after as Step).sentAt)
  }

  /** Waits until so many have come, and begins anew: each has to come, and none twice. */
  async taken(due: number): Promise<ReadonlyArray<number>> {
    const deadline = performance.now() + HEARD_WITHIN_MS
    while (this.heard.length < due && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    const heard = this.heard.splice(0)
    if (heard.length !== due) throw new Error(`${heard.length} callbacks came where ${due} were due.`)
    return heard
  }
}
