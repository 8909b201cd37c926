-- Tags as the last event of each says.
with tag as (
  select *
  from jsonb_to_recordset($1::jsonb) as one (agent text, ref text, type text, data jsonb, actor text, at timestamptz)
),
untagged as (
  delete from :"state_tags" old
  using tag
  where tag.type = 'StateUntagged' and old.agent = tag.agent and old.tag = tag.ref
)
insert into :"state_tags" (agent, tag, branch, name, version, commit, tagged_by, tagged_at)
select
  agent, ref, (data ->> 'branch')::bigint, data ->> 'name', (data ->> 'version')::bigint, (data ->> 'commit')::uuid, actor, at
from tag
where type = 'StateTagged'
on conflict (agent, tag) do update
set branch = excluded.branch, name = excluded.name, version = excluded.version, commit = excluded.commit,
  tagged_by = excluded.tagged_by, tagged_at = excluded.tagged_at
