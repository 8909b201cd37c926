import { ExitCode } from "../exit-code.ts"
import type { Interruption } from "../interruption.ts"
import { sayOnStandardError } from "../place.ts"
import { ProgressView } from "./progress-view.ts"

/** Work that shows how far it is, and that can be given up: then `left` says what is left of it. */
export const givingUp = async (
  interruption: Interruption,
  left: string,
  work: (view: ProgressView, signal: AbortSignal) => Promise<void>
): Promise<ExitCode> => {
  const view = new ProgressView(process.stderr)
  const giving = new AbortController()
  void interruption.requested.then(() => giving.abort(new Error("interrupted")))
  try {
    await work(view, giving.signal)
    return ExitCode.ok
  } catch (thrown) {
    view.clear()
    if (!giving.signal.aborted || thrown !== giving.signal.reason) throw thrown
    sayOnStandardError(`Given up: ${left}.`)
    return ExitCode.interrupted
  }
}
