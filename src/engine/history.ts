import type { Audit, AuditOptions, AuditSubject } from "../log/audit/subject.ts"
import type { Event } from "../log/event.ts"
import type { ReplayOptions } from "../log/replay/replay-options.ts"

/** What an engine tells of the past of its log. */
export interface History {
  /**
   * The settled events that match all that is given, in order of position, brought up to date as `read` does; without `to`, up
   * to where the log is settled when the loop begins (on a standby, as far as that is written down). A page of up to 1000 events or
   * some 8 MiB is read ahead, and nothing more is held, however long it takes. Lost connections are tried again for some 10 s.
   *
   * `since` and `until` go by `recordedAt`, the database's clock at the insert, which is not in the order of positions: nothing is
   * left out for that, and everything between `from` and `to` is looked at.
   *
   * The loop throws InvalidArgument or InvalidName; LogRewound, where `from` or `to` is not of this log any more; TokenTooOld, where
   * retention has dropped telemetry after `from` that may be wanted; UpcastFailed, at that event; or Unavailable, where `to` is not
   * settled within 5 000 ms, or `close` cuts it short.
   */
  replay(options?: ReplayOptions): AsyncIterable<Event>
  /**
   * What led to what: the trees of causes and effects (`meta.causationId`) that a subject belongs to, as a list in the order in which
   * trees are drawn. The subject is `{ event: id }`, `{ correlation: id }`, `{ stream: name }`, for any entity that has one, or `{ agent: id }`; a
   * text alone is taken for the first of these that the log has. Of an event it is its whole tree; of a piece of work the trees of its events; of a stream
   * those of its newest events; of an agent those of the newest events that concern it. An unknown subject has no entries.
   *
   * Causes have no index: it reads the log from the first of these events on (of an unknown or a correlation id, all of it), some
   * 2 s for a million events, and takes no more than `limit` events (500) or some 64 MiB of them. An effect that lies before
   * its cause is not found from there.
   *
   * Rejects with InvalidArgument, UpcastFailed, or Unavailable, where the server became another one again and again.
   */
  audit(subject: AuditSubject, options?: AuditOptions): Promise<Audit>
}
