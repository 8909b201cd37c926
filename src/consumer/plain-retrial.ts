import { Acks } from "./acks.ts"
import type { Agenda, DueGroup } from "./agenda.ts"
import { endedSilently, hasEndedSilently } from "./caution.ts"
import type { DeliveryParts, Retrial } from "./delivery.ts"

/** Hands held events over again, and writes down in batches which of them are handled. */
export class PlainRetrial implements Retrial {
  private readonly parts: DeliveryParts
  private readonly acks: Acks

  constructor(parts: DeliveryParts) {
    this.parts = parts
    this.acks = new Acks(parts.cursor, parts.settings)
  }

  async again(agenda: Agenda, isOver: () => boolean): Promise<void> {
    const { cursor, settings, ends } = this.parts
    while (!agenda.isOver && !ends() && !isOver()) {
      const group = agenda.groupFrom(agenda.at, cursor.isCareful ? 1 : Math.max(1, settings.batch))
      if (group === undefined) break
      if (!(await this.take(agenda, group))) break
      await this.acks.handled()
    }
    await cursor.keep()
  }

  /** Whether it goes on. */
  private async take(agenda: Agenda, group: DueGroup): Promise<boolean> {
    const { cursor, inTurn } = this.parts
    const [{ tried, event }] = group.due as [DueGroup["due"][number]]
    if (event === undefined) return this.settle(agenda, group)
    if (cursor.caution.blames(event.position)) return this.fail(agenda, group, endedSilently())
    if (!cursor.isCareful && !hasEndedSilently(tried)) return this.hand(agenda, group)
    return inTurn(async () => {
      await cursor.begin(event.position)
      const goesOn = await this.hand(agenda, group)
      await cursor.keep()
      return goesOn
    })
  }

  private async hand(agenda: Agenda, group: DueGroup): Promise<boolean> {
    const { cursor, handling, isLive, rate } = this.parts
    const { epoch, partition } = cursor.place
    const attempt = group.due[0]!.tried.attempts + 1
    try {
      const handled = handling.run(group.events, { attempt, epoch, partition, isLive: isLive() })
      if (handled !== undefined) await handled
    } catch (failure) {
      if (handling.isCut(failure)) return false
      if (group.due.length === 1) return this.fail(agenda, group, failure)
      agenda.oneByOne(group.next)
      return true
    }
    rate.add(group.events.length)
    return this.settle(agenda, group)
  }

  private settle(agenda: Agenda, group: DueGroup): boolean {
    for (const { tried } of group.due) this.parts.cursor.finished(tried.position)
    agenda.settled(group.next)
    return true
  }

  private async fail(agenda: Agenda, group: DueGroup, failure: unknown): Promise<boolean> {
    const [{ tried, event }] = group.due as [DueGroup["due"][number]]
    agenda.failedAt(group)
    await this.parts.cursor.holdAgain(event!, tried, failure)
    return true
  }
}
