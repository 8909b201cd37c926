-- Has PostgreSQL write down what a fold calls: a function is made of it, never called, and dropped again.
create function :probe returns void language sql begin atomic :fold
; end;
