import type { TestDatabase } from "../support/database.ts"

type Query = TestDatabase["query"]

interface Line {
  readonly line: string
}

/** Each object of a schema in a line or more, the same on every supported server. `$1` is the schema. */
const objects = `
  select format(E'%s %s\\n%s', case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' end,
      c.relname, concat_ws(E'\\n', columns.lines, constraints.lines, indexes.lines, triggers.lines)) as line
  from pg_class c
  cross join lateral (
    select string_agg(format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when k.collname <> 'default' then ' collate ' || k.collname end,
      case when a.attnotnull then ' not null' end,
      ' default ' || pg_get_expr(d.adbin, d.adrelid)), E'\\n' order by a.attnum) as lines
    from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_collation k on k.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) columns
  cross join lateral (
    select string_agg(format('  constraint %s', pg_get_constraintdef(o.oid)), E'\\n' order by o.contype, pg_get_constraintdef(o.oid)) as lines
    from pg_constraint o where o.conrelid = c.oid and o.contype <> 'n'
  ) constraints
  cross join lateral (
    select string_agg(format('  index %s', regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', '')), E'\\n' order by i.indexrelid::regclass::text) as lines
    from pg_index i where i.indrelid = c.oid and not exists (select from pg_constraint o where o.conindid = i.indexrelid)
  ) indexes
  cross join lateral (
    select string_agg(format('  trigger %s', regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER | ON \\S+|''-?\\d+''', '', 'g')), E'\\n' order by t.tgname) as lines
    from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal
  ) triggers
  where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p', 'v')
  union all
  select format('sequence %s %s start %s increment %s cache %s%s', s.sequencename, s.data_type, s.start_value, s.increment_by,
    s.cache_size, case when s.cycle then ' cycle' end)
  from pg_sequences s where s.schemaname = $1::text
  union all
  select format(E'function %s(%s)\\n  returns %s\\n  %s %s%s%s%s\\n  body %s', p.proname, pg_get_function_identity_arguments(p.oid),
    pg_get_function_result(p.oid), l.lanname, case p.provolatile when 'v' then 'volatile' when 's' then 'stable' else 'immutable' end,
    case when p.prosecdef then ' security definer' end,
    ' set ' || array_to_string(p.proconfig, ', '),
    case when not has_function_privilege('public', p.oid, 'execute') then ', not for everybody' end,
    md5(p.prosrc))
  from pg_proc p join pg_language l on l.oid = p.prolang
  where p.pronamespace = $1::text::regnamespace
  order by 1`

const views = `
  select format('view %s is %s', viewname, md5(regexp_replace(definition, '\\s+|\\m\\w+\\.', '', 'g'))) as line
  from pg_views where schemaname = $1::text order by 1`

/** What a schema consists of, as text: tables, constraints, indexes, triggers, views, sequences, and the hash of each function. */
export const catalog = async (query: Query, schema: string): Promise<string> => {
  const found = [...(await query<Line>(objects, [schema])), ...(await query<Line>(views, [schema]))]
  const text = found.map(({ line }) => line.trimEnd()).join("\n\n")
  return `${text.replaceAll(new RegExp(`\\b${schema}\\b`, "g"), "<schema>")}\n`
}
