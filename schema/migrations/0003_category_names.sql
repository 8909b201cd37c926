-- A category that no stream's name can begin with would never be met. Not valid: what was declared before stays.
alter table categories add constraint category_is_valid check (category ~ '^[A-Za-z][A-Za-z0-9_.:]*$' and length(category) <= 63) not valid;
