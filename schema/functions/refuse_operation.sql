-- Raises TM008: operation `index` of a patch, counted from 0, cannot be applied. The kinds are those of PatchFailed in the library.
create or replace function refuse_operation(index integer, kind text)
returns void
language plpgsql
volatile
parallel safe
as $$
begin
  raise exception 'operation % of the patch cannot be applied (%)', index, kind
    using errcode = 'TM008', detail = jsonb_build_object('index', index, 'kind', kind),
      hint = 'Nothing was changed. Make the patch for the document as it is now.';
end
$$;
