insert into bare_events (id, stream, version, type, data)
select id, stream, version, type, data
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::jsonb[]) as step (id, stream, version, type, data);
