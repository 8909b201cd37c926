import type { MaybeJson } from "../../base/json-value.ts"
import type { Path } from "../../base/pointer.ts"
import type { BasePlan } from "./base-plan.ts"
import type { Node } from "./history.ts"
import { virtualMerge } from "./merge.ts"
import type { Rule } from "./rule.ts"
import { type MaybeVirtual, unresolved } from "./virtual.ts"

/**
 * The base that a plan comes to, to be handed to `merge3`: the value of the one merge base, or the virtual one of several,
 * with unresolved places where they disagree. `read` gives the value at `path` that a node has; it is asked once or more
 * for each of `nodesOf(plan)`. Absent where the histories never met.
 */
export const valueOfPlan = (
  plan: BasePlan,
  read: (node: Node) => MaybeJson,
  rules: ReadonlyArray<Rule>,
  path: Path = []
): MaybeVirtual => {
  const valueOf = ({ nodes: [first, ...others], bases }: BasePlan): MaybeVirtual => {
    let value: MaybeVirtual = first && read(first)
    for (const [index, node] of others.entries()) {
      const deeper = bases[index]
      // Too deep to look at: whatever differs is a disagreement.
      const base = deeper === undefined ? unresolved("") : valueOf(deeper)
      value = virtualMerge(path, rules, { base, ours: value, theirs: read(node) })
    }
    return value
  }
  return valueOf(plan)
}
