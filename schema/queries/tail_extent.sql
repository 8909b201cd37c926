select contiguous, highest, seen, wanted
from :"schema".tail_extent($1, $2, $3)
