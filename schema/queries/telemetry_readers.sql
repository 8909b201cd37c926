-- Who has still to read what lies up to and with position $1 of the categories $2: read models, builds under way, durable subscriptions, and
-- events that such a subscription holds from $3 on. Those that stopped are among them: they may be mended.
select 'read model' as kind, name, position::float8
from :"schema".projections
where position < $1
union all
select 'rebuild', projection, position::float8
from :"schema".generations building
join :"schema".engines owner on owner.engine = building.owner and not owner.has_left and owner.alive_until > clock_timestamp()
where building.state = 'building' and building.position < $1
union all
select 'subscription', one.name, min(cursor.position)::float8
from :"schema".subscriptions one
join :"schema".subscription_cursors cursor on cursor.subscription = one.name
where cursor.position < $1
  and (not one.filter ? 'categories' or exists (
    select from jsonb_array_elements_text(one.filter -> 'categories') wanted where wanted = any ($2::text[])
  ))
  and (not one.filter ? 'streams' or exists (
    select from jsonb_array_elements_text(one.filter -> 'streams') wanted where split_part(wanted, '-', 1) = any ($2::text[])
  ))
group by one.name
union all
select 'held event', subscription, min(position)::float8
from :"schema".held_events
where position >= $3 and position <= $1 and state <> 'dropped' and split_part(stream, '-', 1) = any ($2::text[])
group by subscription
order by kind, name
