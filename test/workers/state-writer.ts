import { randomUUID } from "node:crypto"
import { type Engine, open } from "../../src/index.ts"
import { StateConflict } from "../../src/state.ts"
import { random } from "../support/random.ts"
import { heard, input, say } from "../support/worker.ts"
import type { Answer, Change, Read, Sent } from "../state/writers.ts"

// A process that writes one agent's state, as told: it says each write before it is sent, what came of it, and what it read.

const { database, agent, name, callers, writes, hot, seed, last, dies } = input<{
  readonly database: string
  readonly agent: string
  readonly name: string
  /** How many write at the same time, each so often. */
  readonly callers: number
  readonly writes: number
  /** How many keys all processes write. */
  readonly hot: number
  readonly seed: number
  /** The write from which on it dies, where it does. */
  readonly last?: number
  /** Soon after that write was sent, or as soon as it is told that one was done. */
  readonly dies?: "under way" | "told"
}>()
const { between, chance, next } = random(seed)
const engine = await open({ database, logger: false })
const state = engine.state(agent)

type Written = Awaited<ReturnType<ReturnType<Engine["state"]>["update"]>>
type Options = NonNullable<Parameters<typeof state.update>[1]>

let sent = 0

/** The time by the clock that all processes of the machine share, in microseconds. */
const now = (): number => Number(process.hrtime.bigint() / 1000n)

const die = (): void => void process.kill(process.pid, "SIGKILL")

/** A write under an id of its own, by which its event is found; undefined where it was refused. */
const write = async (
  said: Omit<Sent, "id" | "base">,
  by: (options: Options) => Promise<Written>,
  base?: { readonly version: number; readonly token: string }
): Promise<Written | undefined> => {
  const id = randomUUID()
  const meta = { actor: name, meta: { write: id } }
  say({ sent: { ...said, id, ...(base && { base: base.version }) } satisfies Sent })
  sent += 1
  if (sent === last && dies === "under way") setTimeout(die, next() * 10)
  try {
    const { version, changed, hash, token } = await by(base ? { ...meta, base: base.token } : meta)
    // It is to be in flight for those who look at it from outside.
    if (dies === "under way" && sent >= last!) await new Promise(() => {})
    say({ answer: { id, at: now(), version, changed, hash } satisfies Answer })
    if (dies === "told" && sent >= last!) die()
    return { version, changed, hash, token }
  } catch (error) {
    const conflict =
      error instanceof StateConflict
        ? {
            base: error.base,
            version: error.version,
            paths: error.conflicts.map(({ path }) => path),
            by: error.conflicts.map(({ theirsBy }) => theirsBy)
          }
        : undefined
    say({ answer: { id, at: now(), refused: String(error), ...(conflict && { conflict }) } satisfies Answer })
    return undefined
  }
}

/** The state as it is, and a while in which others write it. */
const read = async () => {
  const from = now()
  const snapshot = await state.read()
  const { version, hash } = snapshot
  say({ read: { from, version, hash } satisfies Read })
  await new Promise((done) => setTimeout(done, next() * 4))
  return snapshot
}

const updateOf = (changes: ReadonlyArray<Change>) =>
  changes.reduce<Record<string, Record<string, unknown>>>(
    (update, { tier, key, value }) => ({ ...update, [tier]: { ...update[tier], [key]: value } }),
    {}
  ) as Parameters<typeof state.update>[0]

const patchOf = (changes: ReadonlyArray<Change>) =>
  changes.map(({ tier, key, value }) => ({ op: "add", path: `/${tier}/${key}`, value }))

const change = async (changes: ReadonlyArray<Change>): Promise<void> => {
  const base = chance(0.5) ? await read() : undefined
  await write(
    { changes },
    (options) =>
      chance(0.5) ? state.update(updateOf(changes), options) : state.patch(patchOf(changes), options),
    base
  )
}

/** Adds one to what was read, until that was not changed by anybody meanwhile. */
const count = async (): Promise<void> => {
  for (;;) {
    const base = await read()
    const changes = [{ tier: "shared", key: "count", value: (base.shared["count"] as number) + 1 }]
    const written = await write({ changes }, (options) => state.update(updateOf(changes), options), base)
    // One that changed nothing was somebody else's, who has counted to the same.
    if (written !== undefined && written.changed.length > 0) return
  }
}

/** The same of a declared counter: nobody is refused. */
const add = async (): Promise<void> => {
  const base = await read()
  const changes = [{ tier: "persistent", key: "sum", value: (base.persistent["sum"] as number) + 1 }]
  await write({ changes, adds: 1 }, (options) => state.update(updateOf(changes), options), base)
}

const caller = async (own: string): Promise<void> => {
  for (let nth = 1; nth <= writes; nth++) {
    const value = `${own} ${nth}`
    const mine = { tier: "local", key: own, value }
    const everybodys = { tier: "shared", key: `hot${between(1, hot)}`, value }
    const doing = next()
    if (doing < 0.1) await count()
    else if (doing < 0.3) await add()
    else await change(doing < 0.5 ? [mine] : doing < 0.8 ? [everybodys] : [mine, everybodys])
  }
}

heard(() => {
  const all = Array.from({ length: callers }, (_, nth) => caller(`${name}-${nth}`))
  void Promise.all(all).then(() => (dies === undefined ? say({ over: true }) : die()))
})
say({ ready: true })
