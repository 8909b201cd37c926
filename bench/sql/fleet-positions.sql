-- How far each read model is, and when that was so, in ms.
select name, position::float8 as position, (extract(epoch from clock_timestamp()) * 1000)::float8 as at
from tidemark.projections
