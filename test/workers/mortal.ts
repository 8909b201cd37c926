import { type Event, open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that works on a durable subscription, and that some of its events end.

const { database, name, categories, partitions, transactional, deadly } = input<{
  readonly database: string
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly partitions: number
  readonly transactional: boolean
  /** The numbers of the events that end the process, by their stream. */
  readonly deadly: Readonly<Record<string, number>>
}>()
const engine = await open({ database, logger: false })
const one = {
  name,
  categories,
  partitions,
  from: "start",
  retry: { attempts: 2, firstMs: 1, longestMs: 5 }
} as const

const take = async ({ stream, data }: Event): Promise<readonly [string, number]> => {
  const { n } = data as { readonly n: number }
  say({ given: `${stream} ${n}` })
  await new Promise((done) => setTimeout(done, 1))
  if (deadly[stream] === n) process.kill(process.pid, "SIGKILL")
  // Nothing is handled any more from here on, as where memory is at an end.
  if (deadly[stream] === n) await new Promise(() => undefined)
  return [stream, n]
}

const note = "insert into public.handled (stream, n) values ($1, $2)"

if (transactional)
  await engine.subscribe({ ...one, transactional }, async (event, { tx }) => {
    await tx.query(note, [...(await take(event))])
  })
else
  await engine.subscribe(one, async (event) => {
    const noted = await take(event)
    await engine.transaction((tx) => tx.query(note, [...noted]))
  })
say({ ready: true })
