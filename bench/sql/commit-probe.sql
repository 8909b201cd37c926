-- Something that must reach the disk before the commit is answered, and leaves no table behind.
select pg_logical_emit_message(true, 'tidemark-bench', 'probe');
