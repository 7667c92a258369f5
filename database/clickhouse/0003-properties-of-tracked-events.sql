-- Properties of what a brand's own tracking tells, for rules to filter and add up by: texts (and 'true', 'false') and
-- numbers apart, nested ones by their path ('address.city'). Both are empty for every other event.
alter table events add column if not exists texts Map(LowCardinality(String), String) codec(ZSTD(1));
alter table events add column if not exists numbers Map(LowCardinality(String), Float64) codec(ZSTD(1));
