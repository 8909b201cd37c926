select name from :"schema".projections order by name
