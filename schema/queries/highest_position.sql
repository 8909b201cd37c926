select max(position) as position
from :"schema".log_events
