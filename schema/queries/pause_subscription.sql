update :"schema".subscriptions set state = 'paused' where name = $1
