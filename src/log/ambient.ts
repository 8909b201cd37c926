import { Context } from "effect"
import { causalMeta, handledEvent } from "./causation.ts"
import type { Meta } from "./event.ts"

/** What an emit is part of, without being told: the event whose handler it is made in. What the caller says goes before it. */
export const Ambient = Context.Reference<() => Meta | undefined>("tidemark/log/Ambient", {
  defaultValue: () => () => {
    const event = handledEvent()
    return event === undefined ? undefined : causalMeta(event)
  }
})
