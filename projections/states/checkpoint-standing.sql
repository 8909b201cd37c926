-- Whether a checkpoint was ended, and why.
select dropped_because as why
from :"schema".state_checkpoints
where id = $1
limit 1
