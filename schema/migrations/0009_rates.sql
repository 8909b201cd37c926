-- How fast owners go, for those who look from elsewhere.

alter table subscription_cursors add column rate real not null default 0;
comment on column subscription_cursors.rate is 'Events handled per second over the ten seconds before moved_at; what is older than that counts no more.';

alter table projections add column rate real not null default 0;
alter table projections add column moved_at timestamptz not null default clock_timestamp();
comment on column projections.rate is 'Events folded per second over the ten seconds before moved_at; what is older than that counts no more.';
