select holder, pid
from :"schema".log_holders()
