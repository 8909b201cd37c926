-- Whether a filter lets an event through: null lets everything through. What concerns an agent are streams of its id, events that it is
-- the actor of, and those labelled with it. Without a search path of its own, so that the planner puts its body in the place of a call.
create or replace function is_wanted(
  stream      text,
  type        text,
  labels      text[],
  meta        jsonb,
  streams     text[],
  categories  text[],
  types       text[],
  any_label   text[],
  agent       text
)
returns boolean
language sql
stable
parallel safe
as $$
  select (streams is null or stream = any (streams))
    and (categories is null or split_part(stream, '-', 1) = any (categories))
    and (types is null or type = any (types))
    and (any_label is null or labels && any_label)
    and (agent is null
      or substr(stream, strpos(stream, '-') + 1) = agent
      or meta -> 'actor' = to_jsonb(agent)
      or labels @> array['agent:' || agent])
$$;
