create table :"metric_minutes" (
  agent_id     text collate "C" not null,
  metric_name  text collate "C" not null,
  minute       timestamptz not null,
  part         integer     not null,
  count        bigint      not null,
  sum          numeric     not null,
  min          float8      not null,
  max          float8      not null,
  sketch       bigint[]    not null,
  primary key (agent_id, minute, metric_name, part)
) with (fillfactor = 70);
comment on table :"metric_minutes" is 'What was measured of a metric in a minute, summed up; kept as long as the measurements.';
comment on column :"metric_minutes".minute is 'When it began.';
comment on column :"metric_minutes".part is 'Which telemetry partition the measurements were in, as its name counts: there is a row for each.';
comment on column :"metric_minutes".sketch is 'How many measurements lie in which bin: in order, each element is a bin times 2^40, plus its count.';

create index on :"metric_minutes" (minute);
create index on :"metric_minutes" (part);

create table :"metric_hours" (
  agent_id     text collate "C" not null,
  metric_name  text collate "C" not null,
  hour         timestamptz not null,
  part         integer     not null,
  count        bigint      not null,
  sum          numeric     not null,
  min          float8      not null,
  max          float8      not null,
  sketch       bigint[]    not null,
  primary key (agent_id, hour, metric_name, part)
) with (fillfactor = 50);
comment on table :"metric_hours" is 'What was measured of a metric in an hour, summed up; kept for ever.';
comment on column :"metric_hours".hour is 'When it began.';
comment on column :"metric_hours".part is 'Which telemetry partition the measurements were in, as its name counts: there is a row for each.';
comment on column :"metric_hours".sketch is 'How many measurements lie in which bin: in order, each element is a bin times 2^40, plus its count.';

create index on :"metric_hours" (hour);
create index on :"metric_hours" (part, agent_id, hour, metric_name);
