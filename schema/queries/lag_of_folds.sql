-- The least position that a read model which runs has come to; null where none does.
select min(position)::float8 as position from :"schema".projections where state = 'running'
