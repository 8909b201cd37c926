import { Context } from "effect"
import { causalMeta, handledEvent, isWithinTransaction } from "./causation.ts"
import type { Meta } from "./event.ts"

/** Whether an effect runs inside a caller's transaction: then nothing may wait for what only its commit brings about. */
export const WithinTransaction = Context.Reference<() => boolean>("tidemark/log/WithinTransaction", {
  defaultValue: () => isWithinTransaction
})

/** What an emit is part of, without being told: the event whose handler it is made in. What the caller says goes before it. */
export const Ambient = Context.Reference<() => Meta | undefined>("tidemark/log/Ambient", {
  defaultValue: () => () => {
    const event = handledEvent()
    return event === undefined ? undefined : causalMeta(event)
  }
})
