-- The categories of telemetry.
select category from :"schema".categories where telemetry order by category
