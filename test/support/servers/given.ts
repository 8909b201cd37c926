import { connected } from "../admin.ts"
import { givenUrl, preparedTransactions, type Provider } from "./provider.ts"

type Fitness = { readonly may_create: boolean; readonly prepared: number; readonly version: number }

const oldestVersion = 150_000

const examine = `
  select
    (select rolsuper or rolcreatedb from pg_roles where rolname = current_user) as may_create,
    current_setting('max_prepared_transactions')::integer as prepared,
    current_setting('server_version_num')::integer as version`

const complaint = ({ may_create, prepared, version }: Fitness): string | undefined => {
  if (version < oldestVersion) return "its PostgreSQL is older than 15: give a newer one"
  if (!may_create) return "its user may not create databases: alter role … createdb"
  if (prepared < preparedTransactions)
    return `max_prepared_transactions is ${prepared}: set it to at least ${preparedTransactions} and restart the server`
  return undefined
}

/** Fails, saying what to do, where the tests could not all run on the server of `url`. */
export const examineServer = async (url: string): Promise<void> => {
  let fitness: Fitness | undefined
  try {
    fitness = await connected(url, async (client) => (await client.query<Fitness>(examine)).rows[0])
  } catch (cause) {
    // The URL may hold a password, so the message does not show it.
    throw new Error(
      `the server of ${givenUrl} does not answer: check that it runs and that the URL is right`,
      { cause }
    )
  }
  const wrong = fitness && complaint(fitness)
  if (wrong) throw new Error(`the server of ${givenUrl} cannot run the tests: ${wrong}`)
}

/** The server of TIDEMARK_TEST_DATABASE_URL. It is not ours to stop. */
export const givenServer: Provider = async () => {
  const url = process.env[givenUrl] ?? ""
  await examineServer(url)
  return { url, stop: async () => {} }
}
