-- How the fleet is in a few numbers, for psql and dashboards. It looks at several read models, which come and go apart, so by a function.
create or replace view :"home".system_health as
select metric, value
from :"schema".system_health();
comment on view :"home".system_health is 'How many agents there are, how many of them run, are late or lost, how many beat in the last 5 minutes, and errors of the last hour.';
