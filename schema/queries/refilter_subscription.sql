update :"schema".subscriptions set filter = $2 where name = $1
