/** What a fold in SQL may not mention: clocks, chance, sequences, settings, and ways out of the statement. */
const FORBIDDEN = new Set(
  `now clock_timestamp statement_timestamp transaction_timestamp timeofday current_timestamp current_date current_time
   localtime localtimestamp random random_normal setseed gen_random_uuid gen_random_bytes uuid_generate_v1 uuid_generate_v1mc
   uuid_generate_v4 uuidv4 uuidv7 nextval currval lastval setval txid_current pg_current_xact_id current_setting set_config
   current_user session_user pg_backend_pid pg_sleep pg_notify dblink dblink_exec query_to_xml pg_read_file`.split(
    /\s+/
  )
)

/** Texts that PostgreSQL takes for a time that depends on when it is asked. */
const CLOCK_TEXT = /'\s*(now|today|tomorrow|yesterday)\s*'/i

const COMMENTS = /--[^\n]*|\/\*[\s\S]*?\*\//g
const TEXTS = /'(?:[^']|'')*'/g
const WORDS = /[a-z_][a-z0-9_]*/gi

/**
 * What in a fold's SQL is not pure, or undefined. A first look, by name; what a plan touches, and which functions of
 * somebody's are called, is looked at too. A function that is declared immutable is taken at its word.
 */
export const impureSql = (sql: string): string | undefined => {
  const code = sql.replace(COMMENTS, " ")
  const clock = CLOCK_TEXT.exec(code)
  if (clock !== null) return clock[0]
  return code
    .replace(TEXTS, " ")
    .match(WORDS)
    ?.find((word) => FORBIDDEN.has(word.toLowerCase()))
}

/** A node of a plan as EXPLAIN (format json) gives it. */
export interface PlanNode {
  readonly Operation?: string
  readonly "Conflict Resolution"?: string
  readonly "Relation Name"?: string
  readonly Plans?: ReadonlyArray<PlanNode>
}

/** The relations that a plan reads or writes. */
export const relationsOf = (plan: PlanNode): ReadonlyArray<string> => [
  ...(plan["Relation Name"] === undefined ? [] : [plan["Relation Name"]]),
  ...(plan.Plans ?? []).flatMap(relationsOf)
]

export interface Explained {
  readonly "QUERY PLAN": ReadonlyArray<{ readonly Plan: PlanNode }>
}
