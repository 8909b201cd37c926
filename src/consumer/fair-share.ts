/**
 * How many of so many parts fall to the member of this rank: as many as to any other, or one more for those who joined first. Whoever
 * joins comes last, so that nobody who is there already has to take a part from another.
 */
export const fairShare = (parts: number, members: number, rank: number): number =>
  Math.floor(parts / members) + (rank < parts % members ? 1 : 0)
