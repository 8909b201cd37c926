import type { Json, JsonObject, Rule } from "../../../dist/src/state.js"
import type { Random } from "./random.ts"

/** What one write wants to do, on the state as its writer has seen it. */
export interface Edit {
  /** For the tier `shared`: whole values, as somebody writes them who has changed what he read. */
  readonly values: JsonObject
  /** Whether what it did is there. */
  readonly isThere: (shared: JsonObject) => boolean
}

/** What a fleet does with a state that all of it writes. */
export interface Workload {
  readonly name: string
  readonly begin: JsonObject
  readonly edit: (seen: JsonObject, writer: number, nth: number, random: Random) => Edit
  /** What the one who declares such a state would say of it. */
  readonly rules: ReadonlyArray<Rule>
  /** How high what is counted is; how many of the writes counted. */
  readonly count?: (shared: JsonObject) => number
}

const objectAt = (value: Json | undefined): JsonObject => (value ?? {}) as JsonObject
const listAt = (value: Json | undefined): ReadonlyArray<Json> => (value ?? []) as ReadonlyArray<Json>

/** Each writer has a key of its own. */
const independent: Workload = {
  name: "independent keys",
  begin: {},
  edit: (_, writer, nth) => ({
    values: { [`agent-${writer}`]: { step: nth } },
    isThere: (shared) => objectAt(shared[`agent-${writer}`])["step"] === nth
  }),
  rules: []
}

/** All put what they have found behind one list. */
const list: Workload = {
  name: "shared list",
  begin: { found: [] },
  edit: (seen, writer, nth) => {
    const id = `${writer}-${nth}`
    const has = (shared: JsonObject): boolean =>
      listAt(shared["found"]).some((one) => objectAt(one)["id"] === id)
    return { values: { found: [...listAt(seen["found"]), { id, by: writer }] }, isThere: has }
  },
  rules: [{ path: "/shared/found", array: "append" }]
}

const SECTIONS = 8
const LINES = 12
const TASKS = 20

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, at) => at)

const document: JsonObject = {
  sections: Object.fromEntries(
    upTo(SECTIONS).map((section) => [
      `section-${section}`,
      upTo(LINES)
        .map((line) => `line ${line}`)
        .join("\n")
    ])
  ),
  tags: [],
  tasks: upTo(TASKS).map((task) => ({ id: `task-${task}`, owner: null })),
  tokens: 0
}

const docIn = (shared: JsonObject): JsonObject => objectAt(shared["doc"])

/** Of ten edits so many are of a line, of a tag, of the counter; the rest is of a task. */
const OF_TEN = 10
const LINE_EDITS = 6
const TAG_EDITS = 1
const COUNTS = 1

const lineEdited = (doc: JsonObject, mark: string, random: Random): JsonObject => {
  const sections = objectAt(doc["sections"])
  const name = random.oneOf(Object.keys(sections))
  const lines = (sections[name] as string).split("\n")
  const at = random.below(lines.length)
  return { ...doc, sections: { ...sections, [name]: lines.with(at, `line ${at} by ${mark}`).join("\n") } }
}

const taskTaken = (doc: JsonObject, mark: string, random: Random): JsonObject => {
  const at = random.below(TASKS)
  return { ...doc, tasks: listAt(doc["tasks"]).with(at, { id: `task-${at}`, owner: mark }) }
}

/** A document that all edit, each a small place in it, and write as a whole. */
const shared: Workload = {
  name: "shared document",
  begin: { doc: document },
  edit: (seen, writer, nth, random) => {
    const doc = docIn(seen)
    const mark = `[${writer}-${nth}]`
    const edit = (values: JsonObject): Edit => ({
      values: { doc: values },
      isThere: (after) => JSON.stringify(docIn(after)).includes(mark)
    })
    const what = random.below(OF_TEN)
    if (what < LINE_EDITS) return edit(lineEdited(doc, mark, random))
    if (what < LINE_EDITS + TAG_EDITS) return edit({ ...doc, tags: [...listAt(doc["tags"]), mark] })
    if (what < LINE_EDITS + TAG_EDITS + COUNTS)
      return { values: { doc: { ...doc, tokens: Number(doc["tokens"]) + 1 } }, isThere: () => false }
    return edit(taskTaken(doc, mark, random))
  },
  rules: [
    { path: "/shared/doc/sections/*", text: true },
    { path: "/shared/doc/tags", array: "set" },
    { path: "/shared/doc/tasks", array: { keyed: ["id"] } },
    { path: "/shared/doc/tokens", number: "counter" }
  ],
  count: (state) => Number(docIn(state)["tokens"])
}

export const WORKLOADS: ReadonlyArray<Workload> = [independent, list, shared]
