import type { Build, RebuildParts } from "./build.ts"
import { type Filling, foldLikeLive } from "./filler.ts"

/** Fills tables by the fold of batches, page by page in the order of the log. */
export const batchesFiller = ({ feed }: RebuildParts, build: Build): Filling => ({
  filler: {
    fill: (upTo) =>
      foldLikeLive(feed, build, build.position, upTo, (events, position) => {
        build.reach(position)
        build.pace.folded(events, position)
      })
  },
  onlyAdds: false,
  onlyByKey: false
})
