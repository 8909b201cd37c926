-- What is known of other branches from versions of branches on, as far as keys are concerned. After a repair it may be there already.
insert into :"state_known" (branch, tier, key, version, known)
select branch, tier, one.key, version, known
from jsonb_to_recordset($1::jsonb) as one (branch bigint, tier text, key text, version bigint, known jsonb)
on conflict (branch, tier, key, version) do nothing
