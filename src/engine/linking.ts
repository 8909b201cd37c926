import type { Effect } from "effect"
import type { ByWhom } from "../state/parts.ts"
import { hubOf, type Link } from "../sync/link/link.ts"
import type { LinkChange, Links } from "../sync/link/links.ts"
import type { LinkOptions } from "../sync/link/wanted.ts"
import type { RetriedSynced, RetriedSyncOptions } from "../sync/queue/retrying.ts"
import type { WorkList } from "../sync/queue/queue.ts"
import type { QueuedWork, QueueStanding } from "../sync/queue/work.ts"
import type { BoundReadModels } from "./read-models.ts"
import type { PromisedOperations } from "./engine.ts"

/** What can be done to a link, from any engine. All reject with UnknownLink and LinkEnded. */
export interface EngineLink {
  readonly link: string
  /** The agent whose state, on main, has what is shared: it can be read, watched and audited as any other. */
  readonly hub: string
  /** Nothing is brought until it goes on; what changes meanwhile comes then. */
  readonly pause: (by?: ByWhom) => Promise<void>
  readonly resume: (by?: ByWhom) => Promise<void>
  /** It is over; all members keep what they have. */
  readonly end: (by?: ByWhom) => Promise<void>
  /** Others share from now on, and some do not any more. Rejects with InvalidArgument, UnknownBranch. */
  readonly change: (change: LinkChange) => Promise<Link>
  /** What it has still to bring. */
  readonly work: (list?: Omit<WorkList, "link">) => Promise<ReadonlyArray<QueuedWork>>
}

/** The links of a fleet. */
export interface EngineLinks extends PromisedOperations<BoundReadModels["links"]> {
  /** One by its id. */
  readonly of: (link: string) => EngineLink
}

/** What is still to be brought from one state into another, by links and by synchronisations that failed. */
export interface SyncQueue {
  /** What has waited longest first; 100 by default. */
  readonly list: (list?: WorkList) => Promise<ReadonlyArray<QueuedWork>>
  readonly status: () => Promise<QueueStanding>
  /** What is parked is tried again as if for the first time; how many. Rejects with InvalidArgument. */
  readonly retry: (which: string) => Promise<number>
  /** What is parked is given up; how many. A link brings it again when something changes. Rejects with InvalidArgument. */
  readonly drop: (which: string) => Promise<number>
}

type Run = <A>(effect: Effect.Effect<A, unknown>) => Promise<A>

/** Links, as promises. */
export class PromisedLinks {
  private readonly links: Links["Service"]
  private readonly lists: PromisedOperations<BoundReadModels["links"]>
  private readonly run: Run

  constructor(links: Links["Service"], lists: PromisedOperations<BoundReadModels["links"]>, run: Run) {
    this.links = links
    this.lists = lists
    this.run = run
  }

  async make(options: LinkOptions): Promise<EngineLink> {
    const { link } = await this.run(this.links.make(options))
    return this.of(link)
  }

  sync(options: RetriedSyncOptions): Promise<RetriedSynced> {
    return this.run(this.links.sync(options))
  }

  of(link: string): EngineLink {
    const { links, run } = this
    return {
      link,
      hub: hubOf(link),
      pause: (by = {}) => run(links.pause(link, by)),
      resume: (by = {}) => run(links.resume(link, by)),
      end: (by = {}) => run(links.end(link, by)),
      change: (change) => run(links.change(link, change)),
      work: (list = {}) => run(links.work({ ...list, link }))
    }
  }

  get all(): EngineLinks {
    return { ...this.lists, of: (link) => this.of(link) }
  }

  get queue(): SyncQueue {
    const { links, run } = this
    return {
      list: (list = {}) => run(links.work(list)),
      status: () => run(links.standing),
      retry: (which) => run(links.retry(which)),
      drop: (which) => run(links.drop(which))
    }
  }
}
