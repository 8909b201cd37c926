import { readFile } from "node:fs/promises"

const directory = new URL("../sql/", import.meta.url)
const loaded = new Map<string, Promise<string>>()

/** The text of `bench/sql/<name>.sql`, read once. */
export const sql = (name: string): Promise<string> => {
  const known = loaded.get(name)
  if (known !== undefined) return known
  const text = readFile(new URL(`${name}.sql`, directory), "utf8")
  loaded.set(name, text)
  return text
}
