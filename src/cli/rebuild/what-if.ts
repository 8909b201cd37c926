import type { WhatIfOptions, WhatIfReport } from "../../engine/rebuilding.ts"
import { ExitCode } from "../exit-code.ts"
import { Interruption } from "../interruption.ts"
import type { PlaceOptions } from "../place.ts"
import { rate } from "../terminal/quantity.ts"
import { printable } from "../terminal/text.ts"
import { definitionsOf } from "./definitions.ts"
import { givingUp } from "./giving-up.ts"
import { comparisonLines } from "./progress-view.ts"
import { opened } from "./rebuild.ts"

/** What `tidemark replay --into` takes. */
export interface WhatIfCommand
  extends PlaceOptions, Omit<WhatIfOptions, "definitions" | "signal" | "onProgress"> {
  /** A module whose default export are definitions; those of every engine where it is left out. */
  readonly module?: string
  /** Only these of them. */
  readonly projection?: ReadonlyArray<string>
  readonly json?: boolean
}

const reportText = ({ schema, kept, projections }: WhatIfReport): string => {
  const lines = projections.flatMap(
    ({ projection, version, position, events, seconds, rate: perSecond, compared }) => [
      `${printable(projection)}: version ${version}, ${events.toLocaleString("en")} events in ${seconds.toFixed(1)} s (${rate(perSecond)}), up to position ${position}`,
      ...(compared === undefined ? ["  nothing live to compare with"] : comparisonLines(compared))
    ]
  )
  return [...lines, kept ? `Schema ${schema} is kept: drop it when you have seen enough.` : ""]
    .join("\n")
    .trimEnd()
}

const filterOf = ({ streams, categories, types, labels, agent }: WhatIfCommand) => ({
  ...(streams === undefined ? {} : { streams }),
  ...(categories === undefined ? {} : { categories }),
  ...(types === undefined ? {} : { types }),
  ...(labels === undefined ? {} : { labels }),
  ...(agent === undefined ? {} : { agent })
})

/** `tidemark replay --into <schema>`: what read models, also changed ones, would be made of the log. */
export const whatIf = async (options: WhatIfCommand): Promise<ExitCode> => {
  using interruption = new Interruption(() => process.exit(ExitCode.interrupted))
  await using workshop = await opened(options)
  const { into, module, projection, to, keep = false, json = false } = options
  const all = module === undefined ? workshop.builtIn : await definitionsOf(module)
  const unknown = projection?.filter((name) => !all.some((one) => one.name === name)) ?? []
  const chosen = projection === undefined ? all : all.filter(({ name }) => projection.includes(name))
  return await givingUp(interruption, "the schema was dropped", async (view, signal) => {
    const report = await workshop.whatIf({
      // One that is in no module may be one that the workshop knows; else it says that nobody does.
      definitions: [...chosen, ...unknown],
      into,
      keep,
      ...(to === undefined ? {} : { to }),
      ...filterOf(options),
      signal,
      ...(json ? {} : { onProgress: (progress) => view.show(progress) })
    })
    view.clear()
    process.stdout.write(`${json ? JSON.stringify(report) : reportText(report)}\n`)
  })
}
