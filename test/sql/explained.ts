import { Client } from "pg"

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly "Actual Rows"?: number
  readonly "Actual Loops"?: number
  readonly "Index Cond"?: string
  readonly "Rows Removed by Filter"?: number
  readonly "Rows Removed by Index Recheck"?: number
  readonly Plans?: ReadonlyArray<Node>
}

/** A look at a table: in which statement, by which way, and how many rows it took. */
export interface Look {
  readonly statement: string
  readonly node: string
  readonly table: string
  readonly rows: number
  readonly index: string
  /** What the index was asked for. */
  readonly asked: string
}

export type Explained = {
  readonly query: (text: string, values?: ReadonlyArray<unknown>, name?: string) => Promise<void>
  /** The looks at those tables, since the last time. */
  readonly looks: () => ReadonlyArray<Look>
  readonly end: () => Promise<void>
}

const looksOf = (text: string, tables: RegExp): ReadonlyArray<Look> => {
  const { "Query Text": statement, Plan } = JSON.parse(text) as { "Query Text": string; Plan: Node }
  const nodes = (node: Node): ReadonlyArray<Node> => [node, ...(node.Plans ?? []).flatMap(nodes)]
  return nodes(Plan).flatMap((node) => {
    const table = node["Relation Name"] ?? ""
    if (!tables.test(table) || !node["Node Type"].endsWith("Scan")) return []
    const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)
    const rows = ((node["Actual Rows"] ?? 0) + removed) * (node["Actual Loops"] ?? 0)
    return [
      {
        statement: statement.replaceAll(/\s+/g, " ").slice(0, 100),
        node: node["Node Type"],
        table,
        rows,
        index: node["Index Name"] ?? "",
        asked: node["Index Cond"] ?? ""
      }
    ]
  })
}

/**
 * A session in which auto_explain tells of each statement, within functions too, what the server really did; of what it did with some
 * tables: of others it does not matter how they are looked at.
 */
export const explained = async (url: string, tables: RegExp): Promise<Explained> => {
  const client = new Client({ connectionString: url, application_name: "explained" })
  const seen: Array<Look> = []
  client.on("notice", ({ message = "" }) => {
    const at = message.indexOf("{")
    if (message.startsWith("duration:") && at > 0) seen.push(...looksOf(message.slice(at), tables))
  })
  await client.connect()
  await client.query(`load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off; set auto_explain.log_nested_statements = on; set auto_explain.log_format = json;
    set auto_explain.log_level = notice; set search_path = tidemark`)
  return {
    query: async (text, values = [], name) =>
      void (await client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) })),
    looks: () => seen.splice(0),
    end: () => client.end()
  }
}

/** More often than PostgreSQL makes a plan for the values at hand before it considers one for all. */
export const REPEATS = 7
