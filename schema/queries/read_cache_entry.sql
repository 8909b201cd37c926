-- What the cache has in the namespace $1 under the key $2.
select value
from :"schema".cache_entries
where namespace = $1 and key = $2 and expires_at > now()
