select coalesce(max(global_position), 0) as position from emt_messages;
