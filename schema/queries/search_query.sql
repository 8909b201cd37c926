-- What a query of a search ($1) comes to: how many words it looks for, whether an index can find them, and its trigrams in their order.
select
  numnode(websearch_to_tsquery('pg_catalog.simple', $1)) as nodes,
  querytree(websearch_to_tsquery('pg_catalog.simple', $1)) as tree,
  :"schema".trigrams($1) as trigrams
