import { Effect, Stream } from "effect"
import type { Event, Meta } from "../../log/event.ts"
import { EventLog } from "../../log/event-log.ts"
import type { LogError } from "../../log/error.ts"
import { upcastEvent } from "../../log/recorded.ts"
import { Digest, linesOf, manifestOf } from "./archive-file.ts"
import { ArchiveDamaged } from "./error.ts"

interface Line extends Omit<Event, "recordedAt" | "meta"> {
  readonly meta: Meta
  readonly recordedAt: string
}

const eventOf = (line: string): Event => {
  const { recordedAt, ...event } = JSON.parse(line) as Line
  return { ...event, recordedAt: new Date(recordedAt) }
}

/** The events of an archive, in order of position, as they were archived; once all were given, throws ArchiveDamaged where they are not what was archived. */
async function* archivedEvents(path: string): AsyncGenerator<Event> {
  const { events, manifest } = await manifestOf(path)
  const digest = new Digest()
  try {
    for await (const line of linesOf(events)) {
      digest.take(line)
      yield eventOf(line)
    }
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown)
    throw new ArchiveDamaged({ file: events, detail })
  }
  if (digest.sha256 !== manifest.sha256)
    throw new ArchiveDamaged({
      file: events,
      detail: `it has ${digest.events} events, and its manifest speaks of ${manifest.events}, or others`
    })
}

/** The events of an archive, in order of position, each at the current version of its type. Fails with ArchiveDamaged or UpcastFailed. */
export const archivedIn = (path: string): Stream.Stream<Event, ArchiveDamaged | LogError, EventLog> =>
  Stream.unwrap(
    Effect.map(EventLog, ({ types }) =>
      Stream.mapEffect(
        Stream.fromAsyncIterable(archivedEvents(path), (thrown) =>
          thrown instanceof ArchiveDamaged
            ? thrown
            : new ArchiveDamaged({ file: path, detail: String(thrown) })
        ),
        (event) => upcastEvent(types, event)
      )
    )
  )
