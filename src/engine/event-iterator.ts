import type { Event } from "../log/event.ts"

/** What the iterator needs of a subscription. */
interface Source {
  readonly done: Promise<void>
  readonly stop: () => Promise<void>
}

type Step = IteratorResult<Event, undefined>

const END: Step = { done: true, value: undefined }

/** A subscription as an async iterator: the next event is handled when the consumer asks for it, so memory stays bounded. */
export class EventIterator implements AsyncIterableIterator<Event> {
  private readonly subscribe: (handler: (event: Event) => Promise<void>) => Promise<Source>
  private source: Promise<Source> | undefined
  private over = false
  private failure: { readonly error: unknown } | undefined
  private waiting:
    | { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void }
    | undefined
  private offered: { readonly event: Event; readonly taken: () => void } | undefined
  private release: () => void = () => undefined

  constructor(subscribe: (handler: (event: Event) => Promise<void>) => Promise<Source>) {
    this.subscribe = subscribe
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Step> {
    if (this.over) return END
    this.source ??= this.begin()
    await this.source
    this.release()
    this.release = () => undefined
    if (this.failure !== undefined) {
      this.over = true
      throw this.failure.error
    }
    if (this.offered !== undefined) return this.take(this.offered)
    return new Promise<Step>((resolve, reject) => {
      this.waiting = { resolve, reject }
    })
  }

  async return(): Promise<Step> {
    this.over = true
    this.release()
    this.offered?.taken()
    this.waiting?.resolve(END)
    await (await this.source)?.stop()
    return END
  }

  private async begin(): Promise<Source> {
    const source = await this.subscribe((event) => this.offer(event))
    source.done.then(
      () => this.end(undefined),
      (error: unknown) => this.end({ error })
    )
    return source
  }

  private offer(event: Event): Promise<void> {
    if (this.over) return Promise.resolve()
    return new Promise<void>((taken) => {
      const offered = { event, taken }
      if (this.waiting === undefined) this.offered = offered
      else this.waiting.resolve(this.take(offered))
    })
  }

  /** The event counts as handled when the consumer comes back for the next one. */
  private take({ event, taken }: { readonly event: Event; readonly taken: () => void }): Step {
    this.offered = undefined
    this.waiting = undefined
    this.release = taken
    return { done: false, value: event }
  }

  private end(failure: { readonly error: unknown } | undefined): void {
    this.failure = failure
    if (failure === undefined) {
      this.over = true
      this.waiting?.resolve(END)
    } else if (this.waiting !== undefined) {
      this.over = true
      this.waiting.reject(failure.error)
    }
    this.waiting = undefined
  }
}
