select write_message(step.id, $2, $3, step.data)
from unnest($1::varchar[], $4::jsonb[]) as step (id, data);
