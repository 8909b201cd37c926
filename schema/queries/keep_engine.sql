-- A sign of life of an engine, and how the posts stand that it watches: whose each is, for how many ms yet, and how far it is.
with kept as (
  insert into :"schema".engines (engine, application, host, pid, process, alive_until)
  values ($1, $2, $3, $4, $8, clock_timestamp() + $5 * interval '1 millisecond')
  on conflict (engine) do update set alive_until = excluded.alive_until
),
posts as (
  select 'projection' as kind, name, 0 as part, owner, position
  from :"schema".projections
  where name = any ($6::text[])
  union all
  select 'subscription', subscription, partition, owner, position
  from :"schema".subscription_cursors
  where subscription = any ($7::text[])
)
select
  post.kind, post.name, post.part, post.position, post.owner = $1 as is_mine,
  post.owner, holder.process,
  extract(epoch from holder.alive_until - clock_timestamp())::float8 * 1000 as left_ms,
  (
    select count(*)::integer
    from :"schema".subscription_members member
    join :"schema".engines peer on peer.engine = member.engine
    where post.kind = 'subscription' and member.subscription = post.name
      and (peer.engine = $1 or peer.alive_until > clock_timestamp())
  ) as members
from posts post
left join :"schema".engines holder on holder.engine = post.owner
