-- What an engine owned is free at once.
with member as (
  delete from :"schema".subscription_members where engine = $1
)
delete from :"schema".engines where engine = $1
