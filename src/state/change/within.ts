import { Effect, Semaphore } from "effect"
import type { Transaction } from "../../log/transaction.ts"
import { BranchDraft } from "../branch/draft.ts"
import { StateHasher } from "../branch/hash.ts"
import { agentLabel, MAIN } from "../name.ts"
import { metaOf, type StateFailure, type StateScene, sound } from "../parts.ts"
import { nodeOf } from "../past/history.ts"
import { unknownBranch } from "../past/refs.ts"
import { LentConnection, type Selection } from "../store.ts"
import type { StateValues } from "../tier.ts"
import { type ChangeOptions, type Changing, patching, updating } from "./changing.ts"
import { Given, type StateUpdate, type Wanting } from "./given.ts"
import type { Written } from "./writing.ts"

/** What a change within a transaction has come to; where it comes to lie in the log is not known yet. */
export type WrittenWithin = Omit<Written, "token">

/** Some values of a state as they are within a transaction. */
export interface SeenWithin extends StateValues {
  readonly version: number
}

interface Drafted {
  readonly scene: StateScene
  readonly draft: BranchDraft
}

interface Shared {
  readonly drafts: Map<string, Drafted>
  /** What is done to a state goes on from what was done before. */
  readonly turns: Semaphore.Semaphore
}

/** What a transaction has made of states so far, whoever it is lent to. */
const SHARED = new WeakMap<object, Shared>()

/** Changes states within a transaction: nobody else sees that before it commits, and all of it is appended with what else it appends, or none. */
export class StatesWithin {
  private readonly tx: Transaction
  private readonly drafts: Map<string, Drafted>
  private readonly turns: Semaphore.Semaphore

  constructor(tx: Transaction) {
    const shared = SHARED.get(tx.identity) ?? { drafts: new Map(), turns: Semaphore.makeUnsafe(1) }
    SHARED.set(tx.identity, shared)
    this.tx = tx
    this.drafts = shared.drafts
    this.turns = shared.turns
  }

  /** A state as it was when this transaction first looked at it, with what was changed here. Fails as `read` does. */
  read(scene: StateScene, wanting: Wanting): Effect.Effect<SeenWithin, StateFailure> {
    const reading = Effect.gen({ self: this }, function* () {
      const selection = yield* sound(new Given(scene.name).selection(wanting))
      const draft = yield* this.draftOf(scene, selection)
      if (!draft.isLive && scene.name.branch !== MAIN) return yield* unknownBranch(scene.name)
      return { ...draft.document(selection), version: draft.version }
    })
    return this.inTurn(reading)
  }

  /** Fails as `update` does, and with VersionConflict where that is known already. */
  update(
    scene: StateScene,
    given: StateUpdate,
    options: ChangeOptions
  ): Effect.Effect<WrittenWithin, StateFailure> {
    const changing = updating(scene, given, options)
    return this.inTurn(Effect.flatMap(changing, (change) => this.change(scene, change, options)))
  }

  patch(
    scene: StateScene,
    given: ReadonlyArray<unknown>,
    options: ChangeOptions
  ): Effect.Effect<WrittenWithin, StateFailure> {
    const changing = patching(scene, given, options)
    return this.inTurn(Effect.flatMap(changing, (change) => this.change(scene, change, options)))
  }

  /** What this engine knows of these states is not what the transaction has made of them. */
  forget(): void {
    for (const { scene } of this.drafts.values()) scene.parts.branches.forgetName(scene.name)
  }

  /** One after the other, by the transaction's connection: transactions that waited for another one each would wait for each other. */
  private inTurn<A>(use: Effect.Effect<A, StateFailure>): Effect.Effect<A, StateFailure> {
    const { query } = this.tx
    return this.turns.withPermits(1)(Effect.provideService(use, LentConnection, { query }))
  }

  private readonly change = Effect.fnUntraced(
    { self: this },
    function* (
      scene: StateScene,
      { selection, plan }: Changing,
      by: ChangeOptions
    ): Effect.fn.Return<WrittenWithin, StateFailure> {
      const { stream, agent } = scene.name
      const before = yield* this.draftOf(scene, selection)
      before.state.hasher ??= new StateHasher(yield* scene.parts.store.secret(agent))
      // Where it fails, nothing of it is in the transaction.
      const draft = before.fork()
      const { events, told } = yield* plan(draft)
      if (events.length > 0) {
        const labelled = events.map((event) => ({ ...event, labels: [agentLabel(agent)] }))
        const expected = before.version === 0 ? "none" : before.version
        yield* this.tx.emit(stream, labelled, { expected, meta: metaOf(by) ?? {} })
      }
      this.drafts.set(stream, { scene, draft })
      const { version, hash, changed } = told([], draft.state.id)
      return { version, hash, changed }
    }
  )

  /** The branch with these keys, as far as the transaction has come with it. */
  private readonly draftOf = Effect.fnUntraced(
    { self: this },
    function* (scene: StateScene, selection: Selection): Effect.fn.Return<BranchDraft, StateFailure> {
      const { parts, name } = scene
      const known = this.drafts.get(name.stream)
      if (known?.draft.state.knows(selection) === true) return known.draft
      if (known !== undefined) {
        const { state } = known.draft
        if (state.version === 0) return known.draft
        state.learnFrom(yield* parts.refs.at(name, nodeOf(state), selection), selection)
        return known.draft
      }
      const state = yield* parts.loader.head(name, selection)
      if (state.fault !== undefined) return yield* parts.refs.corrupt(state)
      const draft = new BranchDraft(state)
      this.drafts.set(name.stream, { scene, draft })
      return draft
    }
  )
}
