import { Effect } from "effect"
import { backoffMs } from "../base/backoff.ts"
import type { PostgresError } from "../postgres/error.ts"
import type { Event } from "../log/event.ts"
import type { Feed } from "../log/feed.ts"
import type { Look } from "../fleet/post.ts"
import { Backlog } from "../log/backlog.ts"
import { Bell } from "../base/bell.ts"
import type { Blueprint } from "./blueprint.ts"
import { commitBatch, type CommitParts, type FoldingCursor } from "./commit.ts"
import { ProjectionStopped } from "./error.ts"
import { type Failure, foldStretch, type Poisoned } from "./fold-stretch.ts"
import type { Fold, FoldFailed } from "./fold.ts"
import { Generation } from "./generation.ts"
import { Progress } from "./progress.ts"
import { rowProblem } from "./register.ts"
import type { Cursor, Overtaken, Registered } from "./registry.ts"
import { type ProjectionStatus, stoppedStatus } from "./status.ts"

/** How often at most a cursor is moved over events that the projection does not fold, in ms. */
export const IDLE_MOVE_MS = 1_000

/** How long what others wrote may wait before it is folded, in ms; a query that waits for it wakes the feed at once. */
const PATIENCE_MS = 20

/** How often a process that only follows looks how far the projection is, in ms … */
const FOLLOW_LOOK_MS = 5_000

/** … and where somebody waits for it. */
const HURRIED_LOOK_MS = 5

/** How often a stopped projection looks whether another process got past what stopped it, in ms. */
const STOPPED_LOOK_MS = 5_000

/** What a runner works with; shared by all runners of an engine. */
export interface RunnerParts extends CommitParts {
  readonly feed: Feed["Service"]
  /** Whether this process folds at all, or leaves that to others for good. */
  readonly folds: boolean
  /** Asks in turn: few questions of all projections are under way at once, beside their batches. */
  readonly inTurn: <A, E>(question: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/**
 * Keeps one projection up with the log while this engine owns it, and follows its owner else. What it believes of the cursor is
 * only a belief: every transaction begins by moving the cursor from there, under the epoch of its claim, so that of several
 * processes each event is folded by one, once.
 */
export class Runner {
  readonly blueprint: Blueprint
  readonly progress = new Progress()
  private readonly parts: RunnerParts
  private readonly backlog: Backlog
  /** Something to fold, or a reason to look. */
  private readonly news = new Bell()
  /** Somebody waits, or the engine closes. */
  private readonly urgent = new Bell()
  private cursor: (FoldingCursor & { readonly generation: number }) | undefined
  private isOwner = false
  /** Nobody owned it when this engine last looked. */
  private isFree = false
  private unwatch: () => void = () => undefined
  private stopped: ProjectionStopped | undefined
  private trouble: PostgresError | undefined
  private failures = 0
  private movedAt = 0
  /** Where the cursor was when the fleet was last looked at: whoever sees it before that now, sees that it was moved back. */
  private seenAt = 0
  /** The cursor may be elsewhere than believed: look before anything else. */
  private isDoubtful = true
  private isRewound = false
  private closing = false

  constructor(blueprint: Blueprint, parts: RunnerParts) {
    this.blueprint = blueprint
    this.parts = parts
    const types = blueprint.events.map((event) => event.type)
    this.backlog = new Backlog(
      parts.feed,
      { filter: { types }, patienceMs: PATIENCE_MS },
      {
        onOffer: () => this.news.ring(),
        onRewound: () => {
          this.isRewound = true
          this.isDoubtful = true
          this.hurry()
        }
      }
    )
  }

  get name(): string {
    return this.blueprint.definition.name
  }

  /** Why queries need not wait for it, if it stopped. */
  get stop(): ProjectionStopped | undefined {
    return this.stopped
  }

  /** Until it is closed; what fails is recorded or tried again. */
  readonly run: Effect.Effect<void> = Effect.suspend(() => {
    const { fleet, folds } = this.parts
    if (folds) this.unwatch = fleet.watch({ kind: "projection", name: this.name }, (look) => this.seen(look))
    return Effect.andThen(
      Effect.whileLoop({ while: () => !this.closing, body: () => this.turn, step: () => undefined }),
      this.lastMove
    )
  })

  /** Ends `run` after the transaction that is under way. */
  close(): void {
    this.closing = true
    this.unwatch()
    this.backlog.leave()
    this.hurry()
  }

  /** Somebody waits for it. */
  hurry(): void {
    this.urgent.ring()
    this.news.ring()
  }

  status(): ProjectionStatus {
    const { name, version } = this.blueprint.definition
    const { position } = this.progress
    const isCount = this.backlog.isLive && this.stopped === undefined
    const behind = Math.max(0, (this.parts.feed.position() ?? this.backlog.upTo) - position)
    const running = isCount || !this.isOwner ? "running" : "catching up"
    return {
      name,
      version,
      generation: this.cursor?.generation ?? 0,
      state: this.stopped === undefined ? running : "stopped",
      position,
      lag: { atMost: isCount ? this.backlog.size : behind, isCount },
      rate: this.progress.rate(),
      follows: !this.isOwner,
      error:
        this.stopped !== undefined
          ? stoppedStatus(this.stopped)
          : this.trouble && { message: this.trouble.message }
    }
  }

  /** How the fleet sees it. A look may be older than what this engine did meanwhile, so it only gives reasons to ask. */
  private seen({ parts: [standing] }: Look): void {
    const isBack = standing !== undefined && standing.position < this.seenAt
    this.seenAt = this.cursor?.position ?? 0
    if (standing === undefined || standing.isMine !== this.isOwner || isBack) this.isDoubtful = true
    else if (this.isOwner) return
    this.isFree = standing?.isFree === true
    if ((standing?.position ?? 0) > (this.cursor?.position ?? 0)) this.isDoubtful = true
    if (this.isFree || this.isDoubtful) this.hurry()
  }

  private readonly turn: Effect.Effect<void> = Effect.suspend(() =>
    this.step.pipe(
      Effect.catch((failure) => this.recover(failure)),
      // A mistake of ours must not leave a projection standing without a word.
      Effect.catchDefect((defect) => this.stopFor({ detail: String(defect) }))
    )
  )

  /** So that the next start need not read again what was of no interest. */
  private readonly lastMove: Effect.Effect<void> = Effect.suspend(() => {
    const { cursor, backlog } = this
    const isOurs = this.stopped === undefined && this.isOwner && !this.isDoubtful
    if (cursor === undefined || !isOurs || backlog.size > 0 || backlog.upTo <= cursor.position)
      return Effect.void
    return Effect.ignore(this.move(cursor, backlog.upTo))
  })

  private readonly step: Effect.Effect<void, Failure> = Effect.suspend(() => {
    if (this.stopped !== undefined) return this.watchStopped
    if (this.cursor === undefined || this.isDoubtful) return this.look
    if (!this.isOwner) return this.isFree ? this.claim : this.follow
    if (this.backlog.size > 0) return this.foldOn
    this.progress.reach(this.backlog.upTo)
    return this.backlog.isLive ? this.idle(this.cursor) : this.parts.inTurn(this.backlog.fill)
  })

  /** Asks the database where the projection is. */
  private readonly look: Effect.Effect<void, Failure> = Effect.gen({ self: this }, function* () {
    // What follows is worth nothing on a server that is not known; where it cannot be, the next batch is not folded either.
    yield* this.parts.inTurn(Effect.ignore(this.parts.feed.sure(Effect.void)))
    yield* this.take(yield* this.parts.registry.load(this.name))
  })

  /** Nobody owns it: this engine tries to. */
  private readonly claim: Effect.Effect<void, Failure> = Effect.gen({ self: this }, function* () {
    const { registry, fleet } = this.parts
    this.isFree = false
    const row = yield* registry.claim(this.name, this.blueprint.hash, fleet.engine)
    if (row === undefined) this.isDoubtful = true
    else yield* this.take(row)
  })

  /** Goes on from what its row says. */
  private readonly take = Effect.fnUntraced({ self: this }, function* (row: Registered | undefined) {
    const problem = rowProblem(row, this.blueprint)
    if (row === undefined || problem !== undefined) return yield* this.stopFor({ detail: problem! })
    const before = this.cursor
    const isSame = before?.epoch === row.epoch && before.generation === row.generation
    const fold = isSame ? before.fold : yield* this.openFold(row.generation)
    const isOn = isSame && row.position >= before.position && !this.isRewound
    if (isOn && this.backlog.isCurrent) this.backlog.drop(row.position)
    else this.backlog.restart(row.position)
    this.isOwner = this.parts.folds && row.owner === this.parts.fleet.engine
    this.cursor = {
      hash: row.hash,
      epoch: row.epoch,
      owner: row.owner,
      position: row.position,
      generation: row.generation,
      fold
    }
    this.isRewound = false
    this.isDoubtful = false
    this.movedAt = performance.now()
    this.progress.reach(this.backlog.size === 0 ? this.backlog.upTo : row.position)
  })

  private openFold(number: number): Effect.Effect<Fold, PostgresError> {
    const { postgres } = this.parts
    return new Generation(this.blueprint, number, postgres.schema).fold(postgres)
  }

  /** Nothing to fold: the cursor moves all the same, but not for every event that is of no interest. */
  private idle(cursor: Cursor): Effect.Effect<void, Failure> {
    const { upTo } = this.backlog
    this.trouble = undefined
    if (upTo <= cursor.position) return this.news.wait()
    const due = this.movedAt + IDLE_MOVE_MS - performance.now()
    return due > 0 ? this.news.wait(due) : this.move(cursor, upTo)
  }

  private move(cursor: Cursor, upTo: number): Effect.Effect<void, PostgresError | Overtaken> {
    const move = { to: upTo, rate: this.progress.rate() }
    return Effect.map(this.parts.registry.move(this.name, cursor, move), () => this.moved(upTo))
  }

  private moved(upTo: number): void {
    this.failures = 0
    this.trouble = undefined
    this.cursor = { ...this.cursor!, position: upTo }
    this.movedAt = performance.now()
    this.backlog.drop(upTo)
    this.progress.reach(this.backlog.size === 0 ? this.backlog.upTo : upTo)
  }

  /**
   * Another engine folds. Only while somebody waits for it, this one reads the log beside it, to know where there is nothing to
   * fold, and looks how far the other is.
   */
  private readonly follow: Effect.Effect<void, Failure> = Effect.suspend(() => {
    this.isDoubtful = true
    if (!this.progress.isAwaited) {
      this.backlog.restart(this.cursor?.position ?? 0)
      return this.urgent.wait(FOLLOW_LOOK_MS)
    }
    return this.backlog.isLive ? this.urgent.wait(HURRIED_LOOK_MS) : this.parts.inTurn(this.backlog.fill)
  })

  /** Folds what there is, and meanwhile reads on where it is behind. */
  private readonly foldOn: Effect.Effect<void, Failure> = Effect.suspend(() => {
    const fold = foldStretch(this.backlog.peek(), (events, upTo) => this.commit(events, upTo))
    if (this.backlog.isLive) return fold
    // An interrupted query would cost its connection, so neither ends the other.
    const both = [Effect.result(fold), Effect.ignore(this.parts.inTurn(this.backlog.fill))] as const
    return Effect.flatMap(Effect.all(both, { concurrency: 2 }), ([folded]) => Effect.fromResult(folded))
  })

  private commit(
    events: ReadonlyArray<Event>,
    upTo: number
  ): Effect.Effect<void, PostgresError | FoldFailed | Overtaken> {
    return Effect.map(
      Effect.suspend(() => {
        const move = { to: upTo, rate: this.progress.rate(events.length) }
        return commitBatch(this.parts, this.name, this.cursor!, this.backlog, events, move)
      }),
      () => {
        this.progress.folded(events.length)
        this.moved(upTo)
      }
    )
  }

  private recover(failure: Failure): Effect.Effect<void> {
    switch (failure._tag) {
      case "Overtaken":
        this.isOwner = false
        this.isDoubtful = true
        this.parts.fleet.look()
        return Effect.void
      case "PostgresError":
        this.trouble = failure
        this.isDoubtful = true
        return this.urgent.wait(backoffMs(this.failures++))
      case "FoldFailed":
        return Effect.die(failure)
      case "Poisoned":
        return this.recordPoison(failure)
    }
  }

  private recordPoison({ event: { position, type }, detail }: Poisoned): Effect.Effect<void> {
    const error = { position, type, message: detail }
    return Effect.matchEffect(this.parts.registry.stop(this.name, this.cursor!, error), {
      onSuccess: () => this.stopFor({ position, type, detail }),
      onFailure: (failure) => this.recover(failure)
    })
  }

  private stopFor(why: {
    readonly detail: string
    readonly position?: number
    readonly type?: string
  }): Effect.Effect<void> {
    const { isOwner, cursor } = this
    const released = isOwner && cursor ? this.parts.registry.release(this.name, cursor) : Effect.void
    this.isOwner = false
    this.stopped = new ProjectionStopped({ projection: this.name, ...why })
    this.backlog.restart(this.cursor?.position ?? 0)
    this.progress.fail(this.stopped)
    // What the fold said may quote data, so it goes to the status and not to the log of the process.
    const said = Effect.logError("A projection stopped", {
      projection: this.name,
      position: why.position,
      type: why.type
    })
    return Effect.andThen(Effect.ignore(released), said)
  }

  /** Goes on where another process has got past what stopped this one. */
  private readonly watchStopped: Effect.Effect<void, PostgresError> = Effect.gen(
    { self: this },
    function* () {
      yield* this.urgent.wait(STOPPED_LOOK_MS)
      const row = yield* this.parts.registry.load(this.name)
      if (row === undefined || rowProblem(row, this.blueprint) !== undefined) return
      if (row.state === "stopped" && row.position <= (this.cursor?.position ?? 0)) return
      this.stopped = undefined
      this.isDoubtful = true
    }
  )
}
