-- Which of these streams exist, and whether no other transaction holds them now.
select held.stream, held.free from :"schema".free_heads($1) held
