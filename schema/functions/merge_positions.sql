-- The positions of a batch of which only some events were appended: these take the drawn ones in their order, all others
-- keep what is known of them.
create or replace function merge_positions(verdicts text[], known bigint[], drawn bigint[])
returns bigint[]
language sql
immutable
as $$
  select array_agg(
    case when event.verdict = 'appended' then drawn[event.nth_appended] else event.position end
    order by event.nth
  )
  from (
    select given.verdict, given.position, given.nth,
      count(*) filter (where given.verdict = 'appended') over (order by given.nth) as nth_appended
    from unnest(verdicts, known) with ordinality as given (verdict, position, nth)
  ) event
$$;
