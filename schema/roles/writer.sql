-- Lets a role append to the log and read it and its read models, which the owner's engines keep: psql -v schema=tidemark -v role=app -f writer.sql
-- It appends through the functions only: no INSERT on events, and no number drawn without the lock.
grant usage on schema :"schema" to :"role";
grant select on all tables in schema :"schema" to :"role";
alter default privileges in schema :"schema" grant select on tables to :"role";
grant select on sequence :"schema".log_position to :"role";
grant insert, update, delete on
  :"schema".engines, :"schema".watches, :"schema".subscriptions, :"schema".subscription_members, :"schema".subscription_cursors,
  :"schema".held_events, :"schema".sync_work, :"schema".sync_breakers, :"schema".cache_entries, :"schema".cache_reads
to :"role";
grant update on :"schema".ended_epochs to :"role";
grant execute on function
  :"schema".append_events(text, jsonb, text),
  :"schema".append_lone(text, bigint, uuid, text, jsonb, text[], jsonb, integer),
  :"schema".append_batch(text[], integer[], integer[], bigint[], uuid[], text[], jsonb[], text[], jsonb[], integer[], integer),
  :"schema".free_heads(text[]),
  :"schema".agent_secret(text),
  :"schema".hold_heads(text[], boolean),
  :"schema".create_state_checkpoint(text, text, text, text, timestamptz, text, jsonb, text),
  :"schema".restore_state_checkpoint(uuid, boolean, text),
  :"schema".cleanup_expired_states(integer),
  :"schema".record_settled(bigint),
  :"schema".extend_telemetry_ahead(),
  :"schema".enter_epoch()
to :"role";
