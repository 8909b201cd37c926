import { BaseSequencer, type TestSpecification } from "vitest/node"

/** The files that take long on any machine, the longest first: one that began last would keep one worker of two waiting. */
const long = [
  "test/postgres/embedded-users.test.ts",
  "test/projection/rebuild/killed.test.ts",
  "test/cli/start.test.ts",
  "test/consumer/processes.test.ts",
  "test/faults/network.test.ts",
  "test/consumer/restored.test.ts",
  "test/cli/replay.test.ts",
  "test/faults/refusals.test.ts",
  "test/faults/wake-ups.test.ts",
  "test/faults/closing.test.ts",
  "test/log/append/locked.test.ts",
  "test/log/read/large.test.ts",
  "test/log/replay/memory.test.ts",
  "test/fleet/takeover.test.ts",
  "test/faults/killed-writer.test.ts",
  "test/faults/standby-readers.test.ts",
  "test/log/replay/loop.test.ts",
  "test/log/replay/standby.test.ts",
  "test/support.leaks.test.ts"
]

/** Runs those first, and all others in vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((file) => moduleId.endsWith(file))
      return at === -1 ? long.length : at
    }
    // eslint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
