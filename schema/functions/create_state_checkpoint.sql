-- Makes a restore point of a branch, as the library does: an event that says of the very version at which it is appended that it is one.
create or replace function create_state_checkpoint(
  agent        text,
  description  text        default null,
  type         text        default 'manual',
  retention    text        default 'permanent',
  expires_at   timestamptz default null,
  branch       text        default 'main',
  metadata     jsonb       default null,
  actor        text        default null
)
returns table (checkpoint uuid, version bigint, "position" bigint)
language plpgsql
volatile
set search_path from current
as $$
declare
  -- Times that the library can read.
  _first    constant timestamptz := '0001-01-01T00:00:00Z';
  _last     constant timestamptz := '9999-12-31T23:59:59Z';
  _newest   constant bigint      := 9223372036854775807;
  _stream   text := state_stream(agent, branch);
  _data     jsonb;
begin
  if jsonb_typeof(metadata) <> 'object' or expires_at not between _first and _last or type is null or retention is null then
    raise exception 'a checkpoint has a type and a retention, its metadata is an object, and it expires in the years 1 to 9999'
      using errcode = 'TM006', detail = jsonb_build_object('stream', _stream), hint = 'Leave out what is not to be said.';
  end if;

  perform hold_heads(array[_stream]);
  if not (select standing.is_live from state_standing(_stream) standing) then
    perform refuse_branch(agent, branch);
  end if;
  perform state_branch_at(_stream, _newest);

  _data := jsonb_build_object('type', type, 'retention', retention)
    || case when description is null then '{}' else jsonb_build_object('description', description) end
    || case when metadata is null then '{}' else jsonb_build_object('metadata', metadata) end
    || case when expires_at is null then '{}' else jsonb_build_object('expiresAt',
      to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end;
  perform check_event_size(_stream, _data);

  return query
    select appended.id, appended.version, appended.position
    from append_events(_stream, jsonb_build_array(state_event(agent, 'StateCheckpointed', _data, actor)), stream_version(_stream)::text) appended;
end
$$;

revoke execute on function create_state_checkpoint from public;
