-- Whether there is a link that is not over.
select exists (select from :"schema".state_links where status <> 'ended') as "isAny"
