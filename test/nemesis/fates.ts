import { setTimeout as pause } from "node:timers/promises"
import type { Cluster } from "../support/cluster.ts"
import { connected, harnessName } from "../support/admin.ts"
import type { Random } from "../support/random.ts"
import type { Members } from "./members.ts"

/** What befalls a fleet. Each returns when the worst is over, and says what it was. */
export type Fate = (scene: Scene) => Promise<string>

export interface Scene {
  readonly members: Members
  readonly server: Cluster
  readonly random: Random
  readonly leaseMs: number
}

/** A process is killed; another comes in its place, sooner or later. */
const killed: Fate = async ({ members, random }) => {
  const at = random.between(0, members.size - 1)
  const pid = await members.kill(at)
  await pause(random.between(0, 2_000))
  await members.start(at)
  return `kill -9 ${pid}`
}

/** A process stands still, for less or for more than its lease, and goes on as if nothing had been. */
const paused: Fate = async ({ members, random, leaseMs }) => {
  const ms = random.between(Math.floor(leaseMs / 4), leaseMs * 3)
  const pid = await members.pause(random.between(0, members.size - 1), ms)
  return `SIGSTOP ${pid} for ${ms} ms`
}

/** Some connections are ended by the server. */
const terminated: Fate = async ({ server, random }) => {
  const share = random.between(1, 10) / 10
  const count = await connected(server.url, async (client) => {
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> $2 and random() < $1`,
      [share, harnessName]
    )
    return rowCount
  })
  return `${count} backends terminated`
}

/** The server is stopped, or crashes, and is started again. */
const restarted: Fate = async ({ server, random }) => {
  const how = random.oneOf(["fast", "immediate"] as const)
  await server.stop(how)
  await pause(random.between(0, 1_500))
  await server.start()
  return `server restart (${how})`
}

const NAMES = ["plain", "exact"] as const
const MOST_PARTITIONS = 9

const anybody = ({ members, random }: Scene): number => random.between(0, members.size - 1)

/** What was done, and without what it said in its own words. */
const outcome = (what: string, became: string): string =>
  `${what} ${became.replace(/^(failed: \w+).*$/s, "$1")}`

/** The streams of a subscription are dealt into another number of partitions. */
const dealt: Fate = async (scene) => {
  const name = scene.random.oneOf(NAMES)
  const partitions = scene.random.between(1, MOST_PARTITIONS)
  return outcome(
    `${name} dealt anew`,
    await scene.members.ask(anybody(scene), { verb: "deal", name, partitions })
  )
}

/** A subscription is paused for a moment, by one process, and resumed by another. */
const halted: Fate = async (scene) => {
  const { members, random } = scene
  const name = random.oneOf(NAMES)
  const became = await members.ask(anybody(scene), { verb: "pause", name })
  await pause(random.between(0, 1_000))
  return outcome(
    `${name} paused ${became}, resumed`,
    await members.ask(anybody(scene), { verb: "resume", name })
  )
}

/** What was parked is tried again. */
const retried: Fate = async (scene) => {
  const name = scene.random.oneOf(NAMES)
  return outcome(`${name} retried`, await scene.members.ask(anybody(scene), { verb: "retry", name }))
}

/** A read model is rebuilt; by a process that may be killed in the middle of it. */
const rebuilt: Fate = async (scene) => {
  const { members, random } = scene
  const name = random.oneOf(["folded", "totals"])
  const at = anybody(scene)
  const rebuilding = members.ask(at, { verb: "rebuild", name })
  if (random.chance(0.5)) return outcome(`${name} rebuilt`, await rebuilding)
  rebuilding.catch(() => undefined)
  await pause(random.between(0, 1_000))
  await members.kill(at)
  await members.start(at)
  return `kill -9 of who rebuilds ${name}`
}

/** The likelier of them more often. */
const ROUND: ReadonlyArray<Fate> = [
  dealt,
  halted,
  retried,
  rebuilt,
  killed,
  killed,
  killed,
  paused,
  paused,
  paused,
  terminated,
  terminated,
  restarted
]

/** One after the other, every one of them in each round. */
export function* fates(random: Random): Generator<Fate, never> {
  for (;;) {
    const left = [...ROUND]
    while (left.length > 0) yield left.splice(random.between(0, left.length - 1), 1)[0]!
  }
}
