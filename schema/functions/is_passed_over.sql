-- Whether a version lies in a stretch of its branch that is damaged, or was until a repair passed over it: it does not count. Inlined into
-- the views that call it.
create or replace function is_passed_over(faults jsonb, version bigint)
returns boolean
language sql
stable
parallel safe
as $$
  select faults <> '[]' and jsonb_path_exists(faults,
    '$[*] ? (@.version <= $version && (@.repaired == null || @.repaired > $version))', jsonb_build_object('version', version))
$$;
