-- Up to where the sums of measurements are folded; no row where the read model is not there.
select position::float8 from :"schema".projections where name = 'metric_rollups'
