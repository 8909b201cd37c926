-- Which log this is, in which of its epochs: of another one, what was built means nothing.
select log_id || ' ' || epoch as epoch
from :"schema".log
