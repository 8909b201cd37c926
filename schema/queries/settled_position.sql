select :"schema".settled_position() as position
