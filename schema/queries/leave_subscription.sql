-- An engine has no handler for a subscription any more. Its claims under way are waited for, and there are none after this.
delete from :"schema".subscription_members where subscription = $1 and engine = $2
