-- What a rebuild has folded is committed with the rows that it made: after its connection was lost, it goes on from there.
alter table generations
  add column folded int8multirange not null default '{}',
  add column folded_events bigint not null default 0;
comment on column generations.folded is 'Of one being built: the positions that are folded into its tables, committed with what they made of them.';
comment on column generations.folded_events is 'How many events of its types those were.';
