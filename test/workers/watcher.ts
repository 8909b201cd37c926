import pg from "pg"
import { open } from "../../src/index.ts"
import { input, say } from "../support/worker.ts"

// A process that watches a state until it is killed, and writes down each change: with its place under a name, or with the token of the change,
// in one transaction.

const { database, agent, paths, name } = input<{
  readonly database: string
  readonly agent: string
  readonly paths: ReadonlyArray<string>
  readonly name?: string
}>()
const engine = await open({ database, logger: false })
const note = "insert into public.noted (watcher, version, n) values ($1, $2, $3)"
const numberOf = ({ changes }: { readonly changes: ReadonlyArray<{ readonly after: unknown }> }) =>
  changes[0]!.after

if (name === undefined) {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query<{ token: string }>("select token from public.places where agent = $1", [
    agent
  ])
  const from = rows[0]?.token
  await engine.state(agent).watch(
    paths,
    async (change) => {
      await client.query("begin")
      await client.query(note, ["lone", change.version, numberOf(change)])
      await client.query("update public.places set token = $2 where agent = $1", [agent, change.token])
      await client.query("commit")
      say({ noted: numberOf(change) })
    },
    from === undefined ? {} : { from }
  )
} else {
  await engine.state(agent).watch(
    paths,
    async (change, context) => {
      if (context === undefined || !("tx" in context)) throw new Error("there is no transaction")
      await context.tx.query(note, [name, change.version, numberOf(change)])
      say({ noted: numberOf(change) })
    },
    { name, transactional: true, retry: { attempts: 1_000, firstMs: 5, longestMs: 50 } }
  )
}
say({ ready: true })
