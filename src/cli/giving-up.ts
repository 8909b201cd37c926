import { ExitCode } from "./exit-code.ts"
import type { Interruption } from "./interruption.ts"
import { sayOnStandardError } from "./place.ts"

/** Works until it is done or the user gives it up, and then says what that means. `tidyUp` comes before whatever is said of a failure. */
export const untilGivenUp = async (
  interruption: Interruption,
  givenUp: string,
  work: (signal: AbortSignal) => Promise<ExitCode>,
  tidyUp: () => void = () => undefined
): Promise<ExitCode> => {
  const giving = new AbortController()
  void interruption.requested.then(() => giving.abort(new Error("interrupted")))
  const { signal } = giving
  try {
    return await work(signal)
  } catch (thrown) {
    tidyUp()
    if (!signal.aborted || thrown !== signal.reason) throw thrown
    sayOnStandardError(givenUp)
    return ExitCode.interrupted
  }
}
