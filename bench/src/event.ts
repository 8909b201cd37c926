/** What an agent reports after one step: about 150 bytes of JSON, the same for every contender. */
export type Step = {
  readonly sentAt: number
  readonly step: number
  readonly tool: string
  readonly status: string
  readonly tokens: number
  readonly note: string
}

/** The one event type that every contender writes. */
export const EVENT_TYPE = "StepFinished"

const TOOLS = ["search", "browse", "shell", "edit"] as const

/** `sentAt` is the emitter's clock in ms (see `now`): it is how a subscriber knows an event's age. */
export const step = (number: number, sentAt = 0): Step => ({
  sentAt,
  step: number,
  tool: TOOLS[number % TOOLS.length] ?? "search",
  status: "succeeded",
  tokens: 800 + (number % 400),
  note: "looked up the invoice and filed it under its customer"
})

export const steps = (count: number): ReadonlyArray<Step> => Array.from({ length: count }, (_, n) => step(n))

/** Milliseconds on one clock that all processes of a machine share, with the resolution of performance.now. */
export const now = (): number => performance.timeOrigin + performance.now()

/** The stream of one emitter. The category (what precedes the first `-`) is the same for all of them. */
export const streamOf = (emitter: number): string => `agent-${emitter}`

/** The category of every stream of the benchmark. */
export const CATEGORY = "agent"
