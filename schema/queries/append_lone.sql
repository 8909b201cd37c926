select position, version, verdict, actual
from :"schema".append_lone($1, $2, $3, $4, $5, $6, $7, $8)
