import { BaseSequencer, type TestSpecification } from "vitest/node"

/** The files that take long on any machine, the longest first: one that began last would keep one worker of two waiting. */
const long = ["test/cli/start.test.ts"]

/** Runs those first, and all others in vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((file) => moduleId.endsWith(file))
      return at === -1 ? long.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
