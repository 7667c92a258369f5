-- Written by the projection only; `liuliang rebuild` makes all of it again from archive and log.
-- person_id is the stored key (see profile_home in PostgreSQL), 0 where there is no person; profile_id is -person where
-- an event names no profile; placed counts how often the profile's rows were moved. Ids that are absent are zero, texts that are absent are empty.

-- What happened, orders aside. Columns are what rules filter by; `data` is the rest and evaluation never reads it.
-- number_id: tag, group or segment; subject_id: journey, task or merge; detail: state, outcome, kind, page or reason.
create table if not exists events (
  person_id Int32,
  at DateTime64(3, 'UTC'),
  id UUID,
  profile_id Int32,
  placed UInt32,
  type LowCardinality(String),
  bulk UInt8,
  received_at DateTime64(3, 'UTC'),
  source LowCardinality(String),
  channel LowCardinality(String),
  detail LowCardinality(String),
  number_id Int32,
  subject_id UUID,
  store_id UUID,
  staff_id UUID,
  data String codec(ZSTD(3))
) engine = MergeTree
order by (person_id, at, id)
settings index_granularity = 1024, fsync_after_insert = 1, non_replicated_deduplication_window = 10000;

-- Every version of every order. `at` is the time of payment, else of placing; a change of buyer or time is a deleted
-- version under the old key and a row under the new one. Readers take the greatest version of a key (FINAL, or by hand).
create table if not exists orders (
  person_id Int32,
  at DateTime64(3, 'UTC'),
  id UUID,
  profile_id Int32,
  placed UInt32,
  version UInt32,
  deleted UInt8,
  source LowCardinality(String),
  external_id String,
  placed_at DateTime64(3, 'UTC'),
  paid_at Nullable(DateTime64(3, 'UTC')),
  status LowCardinality(String),
  purchase UInt8,
  total Decimal(18, 2),
  refunded Decimal(18, 2),
  discount Decimal(18, 2),
  line_count UInt16,
  store_id UUID,
  seller_id UUID,
  channel LowCardinality(String),
  side LowCardinality(String),
  campaign LowCardinality(String),
  coupon String
) engine = ReplacingMergeTree(version, deleted)
order by (person_id, at, id)
settings index_granularity = 1024, fsync_after_insert = 1, non_replicated_deduplication_window = 10000;

create table if not exists order_lines (
  person_id Int32,
  at DateTime64(3, 'UTC'),
  order_id UUID,
  line UInt16,
  profile_id Int32,
  placed UInt32,
  version UInt32,
  deleted UInt8,
  purchase UInt8,
  store_id UUID,
  sku String,
  name String codec(ZSTD(1)),
  category LowCardinality(String),
  quantity Decimal(18, 3),
  price Decimal(18, 2),
  discount Decimal(18, 2),
  cost Nullable(Decimal(18, 2)),
  refunded Decimal(18, 2)
) engine = ReplacingMergeTree(version, deleted)
order by (person_id, at, order_id, line)
settings index_granularity = 1024, fsync_after_insert = 1, non_replicated_deduplication_window = 10000;

-- A copy of PostgreSQL's person_segment for counts and exports.
create table if not exists person_segment (
  person_id Int32,
  segments Array(Int32),
  version UInt64
) engine = ReplacingMergeTree(version)
order by person_id
settings index_granularity = 1024, fsync_after_insert = 1, non_replicated_deduplication_window = 10000;
