import type { WhatIfOptions, WhatIfReport } from "../../engine/rebuilding.ts"
import type { ExitCode } from "../exit-code.ts"
import { rate } from "../terminal/quantity.ts"
import { printable } from "../terminal/text.ts"
import { definitionsOf } from "./definitions.ts"
import { comparisonLines } from "./progress-view.ts"
import { atWorkbench, type WorkbenchOptions } from "./workbench.ts"

/** What `tidemark replay --into` takes. */
export interface WhatIfCommand
  extends WorkbenchOptions, Omit<WhatIfOptions, "definitions" | "signal" | "onProgress"> {
  /** A module whose default export are definitions; those of every engine where it is left out. */
  readonly module?: string
  /** Only these of them. */
  readonly projection?: ReadonlyArray<string>
}

const reportText = ({ schema, kept, leftBehind, projections }: WhatIfReport): string => {
  const lines = projections.flatMap(
    ({ projection, version, position, events, seconds, rate: perSecond, compared }) => [
      `${printable(projection)}: version ${version}, ${events.toLocaleString("en")} events in ${seconds.toFixed(1)} s (${rate(perSecond)}), up to position ${position}`,
      ...(compared === undefined ? ["  nothing live to compare with"] : comparisonLines(compared))
    ]
  )
  // What was left behind is said where warnings are.
  const isKept = kept && leftBehind === undefined
  return [...lines, isKept ? `Schema ${schema} is kept: drop it when you have seen enough.` : ""]
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
export const whatIf = (options: WhatIfCommand): Promise<ExitCode> =>
  atWorkbench(
    options,
    "Given up: the live tables are as they were.",
    async ({ workshop, watched, report }) => {
      const { into, module, projection, to, keep = false } = options
      const all = module === undefined ? workshop.builtIn : await definitionsOf(module)
      const unknown = projection?.filter((name) => !all.some((one) => one.name === name)) ?? []
      const chosen = projection === undefined ? all : all.filter(({ name }) => projection.includes(name))
      const found = await workshop.whatIf({
        // One that is in no module may be one that the workshop knows; else it says that nobody does.
        definitions: [...chosen, ...unknown],
        into,
        keep,
        ...(to === undefined ? {} : { to }),
        ...filterOf(options),
        ...watched
      })
      report(found, reportText)
    }
  )
