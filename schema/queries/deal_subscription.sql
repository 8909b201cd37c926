select :"schema".deal_subscription($1) as is_dealt
