select :"schema".record_settled($1) as recorded
