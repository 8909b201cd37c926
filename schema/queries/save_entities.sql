-- The rows that a batch has changed, each once.
insert into :"table" (:columns)
select :columns
from jsonb_populate_recordset(null:::"table", $1::jsonb)
on conflict (:"key") do update set :assignments
