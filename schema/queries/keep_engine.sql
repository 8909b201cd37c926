-- A sign of life of an engine, unless it has left, and how the posts stand that it watches: whose each is, for how many ms yet, how far it is, whether
-- anything that its owner holds is due, and whether somebody is changing the subscription. Of a subscription it says how many
-- engines that are alive share it, and how many of them joined before this one; null where this one is none of them.
with kept as (
  insert into :"schema".engines as known (engine, application, host, pid, process, alive_until)
  values ($1, $2, $3, $4, $8, clock_timestamp() + $5 * interval '1 millisecond')
  on conflict (engine) do update set alive_until = excluded.alive_until
  where not known.has_left
),
posts as (
  select 'projection' as kind, name, 0 as part, owner, epoch, position
  from :"schema".projections
  where name = any ($6::text[])
  union all
  select 'subscription', subscription, partition, owner, epoch, position
  from :"schema".subscription_cursors
  where subscription = any ($7::text[])
),
at_rest as (
  select name
  from :"schema".subscriptions
  where name = any ($7::text[])
  for key share skip locked
),
living as (
  select
    member.subscription, member.engine,
    row_number() over (partition by member.subscription order by member.joined_at, member.engine) - 1 as rank
  from :"schema".subscription_members member
  join :"schema".engines peer on peer.engine = member.engine
  where member.subscription = any ($7::text[]) and (peer.engine = $1 or peer.alive_until > clock_timestamp())
),
peers as (
  select
    subscription as name, count(*)::integer as members,
    (max(rank) filter (where engine = $1))::integer as rank
  from living
  group by subscription
)
select
  post.kind, post.name, post.part, post.epoch, post.position, post.owner = $1 as is_mine,
  post.owner, holder.process,
  extract(epoch from holder.alive_until - clock_timestamp())::float8 * 1000 as left_ms,
  coalesce(peers.members, 0) as members,
  peers.rank,
  post.kind = 'subscription' and not exists (select from at_rest where at_rest.name = post.name) as is_changing,
  post.kind = 'subscription' and post.owner = $1 and exists (
    select from :"schema".held_events held
    where held.subscription = post.name and held.partition = post.part and held.due_at <= clock_timestamp()
  ) as is_due
from posts post
left join :"schema".engines holder on holder.engine = post.owner
left join peers on post.kind = 'subscription' and peers.name = post.name
