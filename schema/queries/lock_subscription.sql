-- Whoever changes a subscription does it alone. What is to be seen of it must be asked in a later statement: while this one waited,
-- another may have dealt its streams anew.
select from :"schema".subscriptions where name = $1 for update
