create table :"metric_minutes" (
  agent_id     text collate "C" not null,
  metric_name  text collate "C" not null,
  minute       timestamptz not null,
  count        bigint      not null,
  sum          numeric     not null,
  min          float8      not null,
  max          float8      not null,
  sketch       bigint[]    not null,
  primary key (agent_id, minute, metric_name)
) with (fillfactor = 70);
comment on table :"metric_minutes" is 'What was measured of a metric in a minute, summed up.';
comment on column :"metric_minutes".minute is 'When it began.';
comment on column :"metric_minutes".sketch is 'How many measurements lie in which bin: in order, each element is a bin times 2^40, plus its count.';

create index on :"metric_minutes" (minute);

create table :"metric_hours" (
  agent_id     text collate "C" not null,
  metric_name  text collate "C" not null,
  hour         timestamptz not null,
  count        bigint      not null,
  sum          numeric     not null,
  min          float8      not null,
  max          float8      not null,
  sketch       bigint[]    not null,
  primary key (agent_id, hour, metric_name)
) with (fillfactor = 50);
comment on table :"metric_hours" is 'What was measured of a metric in an hour, summed up.';
comment on column :"metric_hours".hour is 'When it began.';
comment on column :"metric_hours".sketch is 'How many measurements lie in which bin: in order, each element is a bin times 2^40, plus its count.';

create index on :"metric_hours" (hour);
