select positions, versions, verdicts, actuals
from :"schema".append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
