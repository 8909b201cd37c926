-- JSON, because a client parses that fastest.
select to_json(positions) as positions, to_json(versions) as versions, verdicts, to_json(actuals) as actuals
from :"schema".append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
