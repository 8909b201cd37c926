-- For this transaction: plans are made once, whatever the values, and look rows up by indexes alone, however large the tables are, or were
-- when the plan was made.
select
  set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
