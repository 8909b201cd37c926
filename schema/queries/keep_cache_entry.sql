-- Has the cache hold a value ($3, JSON) in the namespace $1 under the key $2, with tags ($4), for so many ms ($5), in place of what was there.
insert into :"schema".cache_entries (namespace, key, value, tags, expires_at)
values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')
on conflict (namespace, key) do update
set value = excluded.value, tags = excluded.tags, set_at = excluded.set_at, expires_at = excluded.expires_at
