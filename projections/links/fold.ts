import type { Event } from "../../src/log/event.ts"
import { categoryOf, idOf } from "../../src/log/name.ts"
import { entities } from "../../src/projection/definition.ts"
import { isUuid } from "../../src/base/uuid.ts"
import { LINK } from "../../src/sync/link/event.ts"
import { hubStream, type Link, linkAfter, streamOfMember } from "../../src/sync/link/link.ts"

/** A row of `state_links`. */
export type LinkRow = { readonly [Column in keyof Link]: Link[Column] } & {
  readonly streams: ReadonlyArray<string>
  readonly created_by: string | null
  readonly reason: string | null
  readonly created_at: Date
  readonly changed_at: Date
}

const foldLink = (row: LinkRow | undefined, event: Event): LinkRow | undefined => {
  const link = linkAfter(row, event)
  if (link === undefined) return undefined
  const { actor = null, reason = null } = event.meta
  const { created_by = actor, reason: why = reason, created_at = event.recordedAt } = row ?? {}
  const streams = [hubStream(link), ...link.members.map(streamOfMember)]
  return { ...link, streams, created_by, reason: why, created_at, changed_at: event.recordedAt }
}

export const linkEntities = entities<LinkRow>({
  table: "state_links",
  key: "link",
  // What somebody else has put into such a stream is of no link.
  keyOf: ({ stream }) => (categoryOf(stream) === LINK && isUuid(idOf(stream)) ? idOf(stream) : undefined),
  fold: foldLink
})
