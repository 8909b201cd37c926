import { expect, test } from "vitest"
import { progressText } from "../../src/cli/rebuild/progress-view.ts"
import type { RebuildProgress } from "../../src/engine/rebuilding.ts"

const progress: RebuildProgress = {
  projection: "agents",
  phase: "fill",
  position: 620_000,
  target: 1_000_000,
  events: 376_000,
  rate: 73_000,
  etaMs: 192_000
}

test.each<readonly [Partial<RebuildProgress>, string]>([
  [{}, "agents  fill       62 %  376,000 events  73k/s  3:12 left"],
  [{ etaMs: undefined, position: 0, events: 0, rate: 0 }, "agents  fill       0 %  0 events  0.0/s"],
  [{ target: 0, position: 0, events: 1, etaMs: 0 }, "agents  fill       1 event  73k/s"],
  [{ phase: "catch up" }, "agents  catch up   62 %  376,000 events  73k/s  3:12 left"],
  [{ phase: "catch up", position: 1_000_000 }, "agents  catch up   376,000 events"],
  [{ phase: "swap" }, "agents  swap       376,000 events"]
])("progress %o is told in a line", (changes, line) => {
  expect(progressText({ ...progress, ...changes })).toBe(line)
})
