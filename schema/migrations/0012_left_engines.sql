-- A sign of life may come after its engine has left, where it was sent before on a connection that stalled: it must not bring it back.
alter table engines add column has_left boolean not null default false;
comment on column engines.has_left is 'It has closed, and does not come back. The row is swept as that of any engine that was not heard of for long.';
