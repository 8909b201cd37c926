import type { Agenda, DueGroup } from "./agenda.ts"
import {
  type Batch,
  begun,
  handIn,
  isNobodysFault,
  MOST_EVENTS,
  transact,
  TRANSACTION_MS,
  type TransactionalParts
} from "./batch-transaction.ts"
import { endedSilently, hasEndedSilently } from "./caution.ts"
import type { Retrial } from "./delivery.ts"

/** What one transaction has taken of an agenda. */
interface DueBatch extends Batch<DueGroup> {
  /** Where the agenda goes on behind it. */
  next: number
  readonly groups: Array<DueGroup>
}

/** Hands held events over again, several in a transaction that also takes away those that are handled. */
export class TransactionalRetrial implements Retrial {
  private readonly parts: TransactionalParts

  constructor(parts: TransactionalParts) {
    this.parts = parts
  }

  async again(agenda: Agenda, isOver: () => boolean): Promise<void> {
    const { ends } = this.parts
    while (!agenda.isOver && !ends() && !isOver()) {
      const first = agenda.groupFrom(agenda.at, 1)
      if (first === undefined) return agenda.skipped()
      if (!(await this.take(agenda, first, isOver))) return
    }
  }

  /** Whether it goes on. */
  private async take(agenda: Agenda, first: DueGroup, isOver: () => boolean): Promise<boolean> {
    const { cursor, inTurn } = this.parts
    const [{ tried, event }] = first.due as [DueGroup["due"][number]]
    if (event !== undefined && cursor.caution.blames(event.position))
      return this.fail(agenda, first, endedSilently())
    if (event === undefined || !(cursor.isCareful || hasEndedSilently(tried)))
      return this.some(agenda, isOver)
    return inTurn(async () => {
      await cursor.begin(event.position)
      return this.some(agenda, () => true)
    })
  }

  /** One transaction's worth, of one group at least: until it `isEnough`. */
  private async some(agenda: Agenda, isEnough: () => boolean): Promise<boolean> {
    const batch: DueBatch = { ...begun(this.parts.cursor.handled), next: agenda.at, groups: [] }
    try {
      await transact(this.parts, batch, () => this.fill(agenda, batch, isEnough))
    } catch (error) {
      return this.recover(agenda, batch, error)
    }
    agenda.settled(batch.next)
    return true
  }

  private async fill(agenda: Agenda, batch: DueBatch, isEnough: () => boolean): Promise<void> {
    const { settings, cursor, ends } = this.parts
    const deadline = performance.now() + TRANSACTION_MS
    const size = cursor.isCareful ? 1 : Math.max(1, settings.batch)
    // It may have waited long for its transaction, so that there is nothing to begin any more.
    while (!ends()) {
      const isOver = settings.ackEvery || performance.now() >= deadline || isEnough()
      const group = agenda.groupFrom(batch.next, size)
      if (group === undefined) return
      if (batch.groups.length > 0)
        if (isOver || batch.done.length >= MOST_EVENTS || this.needsCare(group)) return
      if (group.events.length > 0) await handIn(this.parts, batch, group, group.due[0]!.tried.attempts + 1)
      for (const { tried } of group.due) batch.done.push(tried.position)
      batch.groups.push(group)
      batch.next = group.next
    }
  }

  /** What may end its process has a transaction of its own, and is written down before. */
  private needsCare({ due }: DueGroup): boolean {
    const { caution, isCareful } = this.parts.cursor
    return isCareful || due.some(({ tried }) => hasEndedSilently(tried) || caution.suspects(tried.position))
  }

  /** Nothing of the batch was kept. Finds the event that is to blame, with ever smaller batches; whether it goes on. */
  private async recover(agenda: Agenda, batch: DueBatch, error: unknown): Promise<boolean> {
    const { failing, groups, lending, next } = batch
    if (failing === undefined) {
      // COMMIT, or what was emitted, failed: whose fault that was is seen when each event has a transaction of its own.
      if (isNobodysFault(error) || batch.events === 0) throw error
      const [first] = groups as [DueGroup]
      if (groups.length === 1 && first.due.length === 1) return this.fail(agenda, first, error)
      if (groups.length > 1) agenda.stopBefore(groups.at(Math.ceil(groups.length / 2))!.from)
      else agenda.oneByOne(next)
      return true
    }
    const { thrown, group } = failing
    if (this.parts.handling.isCut(thrown)) return false
    if (lending?.isBroken === true) throw error
    if (groups.length > 0) agenda.stopBefore(group.from)
    else if (group.due.length > 1) agenda.oneByOne(group.next)
    else return this.fail(agenda, group, thrown)
    return true
  }

  private async fail(agenda: Agenda, group: DueGroup, failure: unknown): Promise<boolean> {
    const [{ tried, event }] = group.due as [DueGroup["due"][number]]
    agenda.failedAt(group)
    await this.parts.cursor.holdAgain(event!, tried, failure)
    return true
  }
}
