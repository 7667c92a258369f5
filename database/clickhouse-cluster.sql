-- What database/clickhouse/*.sql become on a cluster named liuliang; written by server/platform/clickhouse/cluster.test.ts.

create table if not exists `liuliang`.events_local on cluster 'liuliang' (
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
) engine = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
order by (person_id, at, id)
settings index_granularity = 1024, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000;

create table if not exists `liuliang`.events on cluster 'liuliang' as `liuliang`.events_local
engine = Distributed('liuliang', 'liuliang', 'events_local', cityHash64(person_id));

create table if not exists `liuliang`.orders_local on cluster 'liuliang' (
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
) engine = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version, deleted)
order by (person_id, at, id)
settings index_granularity = 1024, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000;

create table if not exists `liuliang`.orders on cluster 'liuliang' as `liuliang`.orders_local
engine = Distributed('liuliang', 'liuliang', 'orders_local', cityHash64(person_id));

create table if not exists `liuliang`.order_lines_local on cluster 'liuliang' (
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
) engine = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version, deleted)
order by (person_id, at, order_id, line)
settings index_granularity = 1024, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000;

create table if not exists `liuliang`.order_lines on cluster 'liuliang' as `liuliang`.order_lines_local
engine = Distributed('liuliang', 'liuliang', 'order_lines_local', cityHash64(person_id));

create table if not exists `liuliang`.person_segment_local on cluster 'liuliang' (
  person_id Int32,
  segments Array(Int32),
  version UInt64
) engine = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version)
order by person_id
settings index_granularity = 1024, fsync_after_insert = 1, replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000;

create table if not exists `liuliang`.person_segment on cluster 'liuliang' as `liuliang`.person_segment_local
engine = Distributed('liuliang', 'liuliang', 'person_segment_local', cityHash64(person_id));

drop table if exists `liuliang`.person_segment on cluster 'liuliang' sync;

drop table if exists `liuliang`.person_segment_local on cluster 'liuliang' sync;

alter table `liuliang`.events_local on cluster 'liuliang' add column if not exists texts Map(LowCardinality(String), String) codec(ZSTD(1));

alter table `liuliang`.events on cluster 'liuliang' add column if not exists texts Map(LowCardinality(String), String) codec(ZSTD(1));

alter table `liuliang`.events_local on cluster 'liuliang' add column if not exists numbers Map(LowCardinality(String), Float64) codec(ZSTD(1));

alter table `liuliang`.events on cluster 'liuliang' add column if not exists numbers Map(LowCardinality(String), Float64) codec(ZSTD(1));

alter table `liuliang`.events_local on cluster 'liuliang' modify setting min_compress_block_size = 4096;

alter table `liuliang`.orders_local on cluster 'liuliang' modify setting min_compress_block_size = 4096;

alter table `liuliang`.order_lines_local on cluster 'liuliang' modify setting min_compress_block_size = 4096;
