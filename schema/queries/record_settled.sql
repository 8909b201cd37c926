select :"schema".record_settled($1)
