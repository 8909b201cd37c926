create table :"agent_health" (
  agent_id      text collate "C" primary key,
  standing      text        not null,
  health        text collate "C" not null,
  since         timestamptz not null,
  interval_ms   integer     not null,
  is_promised   boolean     not null,
  last_beat_at  timestamptz,
  heard         bigint      not null,
  heard_at      timestamptz,
  judged        bigint      not null,
  due_at        timestamptz,
  recorded_at   timestamptz not null
);
comment on table :"agent_health" is 'How every agent is that was ever registered or ever beat. All its times are by the database''s clock.';
comment on column :"agent_health".standing is 'watched, stopped or retired: only the first are watched.';
comment on column :"agent_health".health is 'healthy, late, lost or unknown, as the watchdog said last; unknown before the first beat, and while it is not watched.';
comment on column :"agent_health".since is 'Since when its health is that.';
comment on column :"agent_health".interval_ms is 'How often it is expected to beat.';
comment on column :"agent_health".is_promised is 'Whether it declared that itself: then it is waited for from its registration on, else from its first beat on.';
comment on column :"agent_health".heard is 'The position of its last sign of life: a beat, a start, or an interval declared.';
comment on column :"agent_health".heard_at is 'When that was recorded.';
comment on column :"agent_health".judged is 'Upon which sign of life the watchdog has judged it last.';
comment on column :"agent_health".due_at is 'When the watchdog has to look at it next; null where it has not to.';
comment on column :"agent_health".recorded_at is 'When its last event was recorded.';

create index on :"agent_health" (due_at, agent_id) where due_at is not null;
create index on :"agent_health" (health, agent_id) where health in ('late', 'lost');

create table :"agent_health_counts" (
  health  text collate "C" primary key,
  agents  bigint not null
);
comment on table :"agent_health_counts" is 'How many agents that are watched there are in each state of health.';
