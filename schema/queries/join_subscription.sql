-- An engine has a handler for a subscription, as long as there is one of that name.
insert into :"schema".subscription_members (subscription, engine)
select name, $2 from :"schema".subscriptions where name = $1
on conflict do nothing
