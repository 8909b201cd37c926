import { type Checkpoint, emptyCheckpoint, uuid6 } from "@langchain/langgraph-checkpoint"
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres"
import pg from "pg"

/** A thread of a LangGraph, whose channels are the keys of a state. */
export interface Thread {
  /** Writes a checkpoint in which one channel has changed. */
  readonly put: (channel: string, value: unknown) => Promise<void>
  /** The latest checkpoint, with all its channels. */
  readonly latest: () => Promise<number>
}

/** LangGraph's PostgresSaver on a database. */
export interface Saver {
  /** A new thread, with a first checkpoint of these channels. */
  readonly thread: (id: string, channels: Readonly<Record<string, unknown>>) => Promise<Thread>
  readonly close: () => Promise<void>
}

export const LANGGRAPH = "langgraph"

const threadOf = async (
  saver: PostgresSaver,
  id: string,
  channels: Readonly<Record<string, unknown>>
): Promise<Thread> => {
  const values: Record<string, unknown> = { ...channels }
  const versions: Record<string, number> = Object.fromEntries(Object.keys(channels).map((name) => [name, 1]))
  let step = -1
  let parent: string | undefined
  const write = async (changed: Readonly<Record<string, number>>): Promise<void> => {
    step += 1
    const checkpoint: Checkpoint = {
      ...emptyCheckpoint(),
      id: uuid6(step),
      channel_values: values,
      channel_versions: { ...versions }
    }
    const configurable = {
      thread_id: id,
      checkpoint_ns: "",
      ...(parent === undefined ? {} : { checkpoint_id: parent })
    }
    await saver.put({ configurable }, checkpoint, { source: "loop", step, parents: {} }, changed)
    parent = checkpoint.id
  }
  await write(versions)
  return {
    put: (channel, value) => {
      values[channel] = value
      const version = (versions[channel] ?? 0) + 1
      versions[channel] = version
      return write({ [channel]: version })
    },
    latest: async () => {
      const tuple = await saver.getTuple({ configurable: { thread_id: id, checkpoint_ns: "" } })
      return Object.keys(tuple?.checkpoint.channel_values ?? {}).length
    }
  }
}

export const saverAt = async (database: string, connections: number): Promise<Saver> => {
  const pool = new pg.Pool({ connectionString: database, max: connections })
  const saver = new PostgresSaver(pool)
  await saver.setup()
  return {
    thread: (id, channels) => threadOf(saver, id, channels),
    close: () => saver.end()
  }
}
