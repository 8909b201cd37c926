-- A subscription that is deleted and made again under its name goes on with its epochs, for those who remember the old ones.
create table ended_epochs (
  one      boolean primary key default true check (one),
  highest  integer not null default 0
);
comment on table ended_epochs is 'One row: no epoch of a subscription that was deleted was higher. It only grows.';
insert into ended_epochs default values;
