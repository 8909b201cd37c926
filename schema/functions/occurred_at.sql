-- When an event happened by its caller's clock, where its data says so with a zone; a text without one, or 'now', would
-- mean another time each time it is read, and a day that its month has not would stop the fold. In UTC, what is of the first year or the
-- last may be of none. Inlined into the folds that call it, which a search_path of its own would prevent; what looks ahead in a pattern takes
-- twice as long.
create or replace function occurred_at(data jsonb)
returns timestamptz
language sql
stable
as $$
  select case when data ->> 'occurredAt' ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$'
    then case when substr(data ->> 'occurredAt', 1, 4)::integer between 2 and 9998
      and (
        substr(data ->> 'occurredAt', 9, 2)::integer <= 28
        or substr(data ->> 'occurredAt', 9, 2)::integer <= extract(day from
          make_date(substr(data ->> 'occurredAt', 1, 4)::integer, substr(data ->> 'occurredAt', 6, 2)::integer, 1) + interval '1 month - 1 day'
        )
      )
      then (data ->> 'occurredAt')::timestamptz
    end
  end
$$;
