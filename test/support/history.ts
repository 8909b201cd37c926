/** An event as somebody saw it: in the log, in an acknowledgement, or in a handler. */
export type Seen = {
  readonly position: number
  readonly id: string
  readonly stream: string
  readonly version: number
  readonly content: string
}

/** An event as its caller meant it. */
export type Meant = { readonly id: string; readonly stream: string; readonly content: string }

export type Place = { readonly id: string; readonly position: number; readonly version: number }

type Attempt = {
  readonly meant: ReadonlyArray<Meant>
  readonly answers: Array<ReadonlyArray<Place>>
  refused: boolean
}

type Reader = { readonly after: number; readonly delivered: Array<Seen> }

/** No more of one kind of violation is told than this: the first few say what is wrong. */
const shownPerKind = 5

/**
 * What writers and readers saw of a log, from outside of it, and the judgement of it against the log as it is at the end.
 * The names of the invariants are those that a violation begins with.
 */
export class History {
  private readonly attempts: Array<Attempt> = []
  private readonly attemptOf = new Map<string, Attempt>()
  private readonly readers = new Map<string, Reader>()

  /** A caller is about to append these events, all or none. Retries of the same ids are the same attempt. */
  sent(meant: ReadonlyArray<Meant>): void {
    const attempt: Attempt = { meant, answers: [], refused: false }
    this.attempts.push(attempt)
    for (const { id } of meant) this.attemptOf.set(id, attempt)
  }

  /** The append that holds these ids was acknowledged. */
  acknowledged(places: ReadonlyArray<Place>): void {
    this.attempt(places[0]!.id).answers.push(places)
  }

  /** The caller was told that nothing was appended, or rolled it back. */
  refused(id: string): void {
    this.attempt(id).refused = true
  }

  /** A reader starts after a position, 0 for the beginning. */
  reads(reader: string, after = 0): (event: Seen) => void {
    const delivered: Array<Seen> = []
    this.readers.set(reader, { after, delivered })
    return (event) => void delivered.push(event)
  }

  get acknowledgedEvents(): number {
    return this.attempts.reduce((sum, one) => sum + (one.answers.length > 0 ? one.meant.length : 0), 0)
  }

  /** How many attempts ended without an answer. */
  get unanswered(): number {
    return this.attempts.filter((one) => one.answers.length === 0 && !one.refused).length
  }

  deliveredTo(reader: string): number {
    return this.readers.get(reader)?.delivered.length ?? 0
  }

  /** Everything that is wrong, given the whole log in order of position; every reader must have read it to its end. */
  violations(log: ReadonlyArray<Seen>): ReadonlyArray<string> {
    const byId = new Map(log.map((event) => [event.id, event]))
    return [
      ...few(this.lostOrChanged(byId)),
      ...few(this.halfDone(byId)),
      ...few(doubled(log)),
      ...few(holes(log)),
      ...[...this.readers].flatMap(([name, reader]) => few(misread(name, reader, log)))
    ]
  }

  private attempt(id: string): Attempt {
    const attempt = this.attemptOf.get(id)
    if (attempt === undefined) throw new Error(`nobody said that ${id} would be sent`)
    return attempt
  }

  private *lostOrChanged(log: ReadonlyMap<string, Seen>): Iterable<string> {
    for (const { meant, answers } of this.attempts) {
      for (const places of answers) {
        if (places.length !== meant.length)
          yield `I1: ${places.length} places were acknowledged for ${meant.length} events`
        for (const place of places) {
          const event = log.get(place.id)
          if (event === undefined)
            yield `I1: ${place.id} was acknowledged at ${place.position} and is not in the log`
          else if (event.position !== place.position || event.version !== place.version)
            yield `I2: ${place.id} was acknowledged at ${place.position} (version ${place.version}) and lies at ${event.position} (${event.version})`
        }
      }
      for (const { id, stream, content } of meant) {
        const event = log.get(id)
        if (event !== undefined && (event.stream !== stream || event.content !== content))
          yield `I1: ${id} is not what was sent: ${JSON.stringify(event)}`
      }
    }
  }

  private *halfDone(log: ReadonlyMap<string, Seen>): Iterable<string> {
    for (const { meant, answers, refused } of this.attempts) {
      const there = meant.filter(({ id }) => log.has(id)).length
      if (there !== 0 && there !== meant.length)
        yield `I2: ${there} of the ${meant.length} events of one append are in the log (${meant[0]!.id})`
      if (refused && answers.length === 0 && there > 0)
        yield `I2: ${meant[0]!.id} is in the log, and its caller was told that it is not`
    }
  }
}

const few = (found: Iterable<string>): ReadonlyArray<string> => {
  const all = [...found]
  const more = all.length - shownPerKind
  return more > 0 ? [...all.slice(0, shownPerKind), `${all[0]!.slice(0, 2)}: and ${more} more`] : all
}

function* doubled(log: ReadonlyArray<Seen>): Iterable<string> {
  const ids = new Set<string>()
  for (const { id, position } of log) {
    if (ids.has(id)) yield `I2: ${id} is in the log twice, again at ${position}`
    ids.add(id)
  }
}

function* holes(log: ReadonlyArray<Seen>): Iterable<string> {
  const versions = new Map<string, number>()
  for (const { stream, version, position } of log) {
    const before = versions.get(stream) ?? 0
    if (version !== before + 1)
      yield `I3: ${stream} goes from version ${before} to ${version} at position ${position}`
    versions.set(stream, version)
  }
}

function* misread(name: string, { after, delivered }: Reader, log: ReadonlyArray<Seen>): Iterable<string> {
  let last = after
  for (const { position } of delivered) {
    if (position <= last) yield `I4: ${name} was given ${position} after ${last}`
    last = Math.max(last, position)
  }
  const given = new Map(delivered.map((event) => [event.position, event]))
  for (const event of log) {
    if (event.position <= after) continue
    const seen = given.get(event.position)
    if (seen === undefined) yield `I5: ${name} was never given ${event.position} (${event.stream})`
    else if (seen.id !== event.id || seen.version !== event.version || seen.content !== event.content)
      yield `I1: ${name} was given something else at ${event.position}: ${JSON.stringify(seen)}`
    given.delete(event.position)
  }
  for (const position of given.keys()) yield `I5: ${name} was given ${position}, which is not in the log`
}
