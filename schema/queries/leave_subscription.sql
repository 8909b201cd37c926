-- An engine has no handler for a subscription any more, and owns nothing of it.
with released as (
  update :"schema".subscription_cursors set owner = null where subscription = $1 and owner = $2
)
delete from :"schema".subscription_members where subscription = $1 and engine = $2
