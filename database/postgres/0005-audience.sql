-- Who belongs to which group of people: tags, segments, life cycle, and the truth about membership.

-- One number per reading of facts. It is taken after the bounds of a batch are known and before its facts are read,
-- so a reading with a higher number saw at least as much as one with a lower number.
create sequence audience_reading;

-- Grows with every change of a definition (tag rule, segment, bands, cut points): an answer computed with an older
-- set of definitions is not written.
create table audience_revision (
  id smallint primary key default 1 check (id = 1),
  revision bigint not null,
  -- Version of the setting lifecycle_bands and zone that answers were last computed with, and since which reading.
  bands_version int not null default 0,
  zone text not null default '',
  bands_reading bigint not null default 0
);
insert into audience_revision (id, revision) values (1, 1);

create table tag_group (
  id int generated always as identity primary key,
  code text unique,
  name text not null unique check (name <> ''),
  level "char" not null check (level in ('s', 'b')),
  scope text not null default 'brand' check (scope in ('brand', 'custom')),
  -- Whether stores may add tags of their own here.
  open_to_stores boolean not null default false,
  state text not null default 'active' check (state in ('active', 'retired')),
  version int not null default 1,
  demo boolean not null default false,
  created_at timestamptz not null,
  created_by uuid references staff (id),
  unique (id, level)
);

create table tag (
  id int generated always as identity primary key,
  group_id int not null,
  level "char" not null,
  parent_id int,
  code text,
  name text not null check (name <> ''),
  -- Four pairs that say what kind of tag it is.
  volatility text not null check (volatility in ('dynamic', 'static')),
  subjectivity text not null check (subjectivity in ('subjective', 'objective')),
  derivation text not null check (derivation in ('fact', 'model')),
  composition text not null check (composition in ('single', 'combined')),
  scope text not null check (scope in ('brand', 'custom')),
  -- Three axes that are not one another: who produces it, how it comes in, and the level (above).
  producer text not null check (producer in ('guide', 'system')),
  origin text not null check (origin in ('synced', 'manual', 'auto')),
  -- A tag without a use and a plan is waste from its first day, so there is none.
  purpose text not null check (btrim(purpose) <> ''),
  plan text not null check (btrim(plan) <> ''),
  -- For automatic tags: the rule that decides who has it. Null for automatic tags that a channel sets.
  rule jsonb,
  position int not null default 0,
  store_id uuid references store (id),
  state text not null default 'active' check (state in ('active', 'retired')),
  version int not null default 1,
  reading bigint not null default 0,
  retired_at timestamptz,
  demo boolean not null default false,
  created_at timestamptz not null,
  created_by uuid references staff (id),
  unique (id, group_id),
  unique (id, level),
  foreign key (group_id, level) references tag_group (id, level),
  foreign key (parent_id, group_id) references tag (id, group_id),
  check (rule is null or (origin = 'auto' and producer = 'system')),
  check (store_id is null or scope = 'custom'),
  check ((state = 'retired') = (retired_at is not null)),
  check (parent_id <> id)
);
create unique index tag_name on tag (group_id, name, coalesce(store_id, '00000000-0000-0000-0000-000000000000'::uuid)) where state = 'active';

-- Which tags a profile carries and from where; the person's tags are those of all its profiles, so a merge that is
-- undone gives each its own back. person_id follows profile.person_id.
create table person_tag (
  profile_id int not null references profile (id) on delete cascade,
  tag_id int not null,
  origin text not null check (origin in ('synced', 'manual', 'auto')),
  person_id int not null,
  level "char" not null default 'b' check (level = 'b'),
  producer text not null check (producer in ('guide', 'system')),
  at timestamptz not null,
  staff_id uuid,
  reason text,
  primary key (profile_id, tag_id, origin),
  foreign key (tag_id, level) references tag (id, level)
);
create index person_tag_person on person_tag (person_id);
create index person_tag_tag on person_tag (tag_id, person_id);

-- What guide (or operator), rule and WeCom each say about one group of level S.
create table s_tag_claim (
  profile_id int not null references profile (id) on delete cascade,
  group_id int not null,
  origin text not null check (origin in ('manual', 'auto', 'synced')),
  person_id int not null,
  tag_id int not null,
  level "char" not null default 's' check (level = 's'),
  producer text not null check (producer in ('guide', 'system')),
  at timestamptz not null,
  staff_id uuid,
  reason text,
  primary key (profile_id, group_id, origin),
  foreign key (tag_id, group_id) references tag (id, group_id),
  foreign key (group_id, level) references tag_group (id, level)
);
create index s_tag_claim_person on s_tag_claim (person_id);

-- The one value of a person in a group of level S: manual before rule before synced, then the latest.
-- No row is the group's "unknown": so everybody has exactly one value, whatever happens.
create table s_tag (
  person_id int not null references person (id),
  group_id int not null,
  tag_id int not null,
  level "char" not null default 's' check (level = 's'),
  origin text not null check (origin in ('manual', 'auto', 'synced')),
  producer text not null check (producer in ('guide', 'system')),
  at timestamptz not null,
  primary key (person_id, group_id),
  foreign key (tag_id, group_id) references tag (id, group_id),
  foreign key (group_id, level) references tag_group (id, level)
);
create index s_tag_tag on s_tag (tag_id, person_id);

-- Claims that lost, to be corrected where they came from (a tag in WeCom that the guide contradicts).
create table s_tag_loss (
  profile_id int not null references profile (id) on delete cascade,
  group_id int not null,
  origin text not null check (origin in ('manual', 'auto', 'synced')),
  person_id int not null,
  lost_tag_id int not null references tag (id),
  won_tag_id int not null references tag (id),
  won_origin text not null check (won_origin in ('manual', 'auto', 'synced')),
  at timestamptz not null,
  written_back_at timestamptz,
  primary key (profile_id, group_id, origin)
);
create index s_tag_loss_open on s_tag_loss (at) where written_back_at is null;

create table tag_retirement (
  id uuid primary key,
  tag_ids int[] not null check (cardinality(tag_ids) > 0),
  reason text not null check (reason <> ''),
  at timestamptz not null,
  staff_id uuid references staff (id),
  undone_at timestamptz
);

create table segment (
  id int generated always as identity primary key,
  name text not null check (name <> ''),
  description text not null default '',
  rule jsonb not null,
  -- The condition of a branch in an SOP is a segment that lists do not show.
  hidden boolean not null default false,
  state text not null default 'live' check (state in ('live', 'archived')),
  version int not null default 1,
  -- Answers of older readings belong to another definition.
  reading bigint not null,
  demo boolean not null default false,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  created_by uuid references staff (id)
);
create unique index segment_name on segment (name) where state = 'live' and not hidden;

-- Who uses a segment, tag, group or channel: written by the user in its own transaction.
create table usage (
  kind text not null check (kind in ('segment', 'tag', 'tag_group', 'channel', 'content')),
  object_id text not null,
  user_kind text not null,
  user_id text not null,
  label text not null,
  primary key (kind, object_id, user_kind, user_id)
);
create index usage_user on usage (user_kind, user_id);

-- What depends on the whole base, published at a stated time: a score is the value against the latest version.
create table cut_points (
  name text not null check (name <> ''),
  version int not null check (version > 0),
  reading bigint not null,
  as_of date not null,
  published_at timestamptz not null,
  persons int not null,
  cuts jsonb not null,
  primary key (name, version)
);

-- The truth about membership. `reading` is the number of the reading whose facts stand here; a write with a lower
-- number is not done. next_at: no answer can change before it without a new event.
create table person_segment (
  person_id int primary key,
  segments int[] not null default '{}',
  next_at timestamptz,
  reading bigint not null,
  evaluated_at timestamptz not null,
  -- How often time alone woke this person on `idle_day` and nothing had changed.
  idle_day date,
  idle_wakes smallint not null default 0
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index person_segment_next on person_segment (next_at) where next_at is not null;
create index person_segment_segments on person_segment using gin (segments);

create table person_state (
  person_id int primary key,
  lifecycle text not null,
  own_cycle text not null,
  order_stage text not null,
  aipl text not null,
  join_recency text not null,
  interaction_silent boolean not null,
  purchases int not null,
  spent_cents bigint not null,
  first_purchase_at timestamptz,
  last_purchase_at timestamptz,
  median_gap_days double precision,
  last_interaction_at timestamptz,
  r smallint check (r between 1 and 5),
  f smallint check (f between 1 and 5),
  m smallint check (m between 1 and 5),
  rfm_group text,
  reading bigint not null,
  changed_at timestamptz not null,
  check ((purchases = 0) = (last_purchase_at is null))
) with (fillfactor = 85);
create index person_state_lifecycle on person_state (lifecycle);
create index person_state_rfm on person_state (rfm_group) where rfm_group is not null;

-- Who is to be evaluated because something happened. first/last are positions in the log: the person may be taken
-- when `first` can be read in ClickHouse. A cause that must not start an SOP outweighs one that may.
create table evaluation_due (
  person_id int not null,
  lane smallint not null,
  first_xid xid8 not null,
  first_seq bigint not null,
  last_xid xid8 not null,
  last_seq bigint not null,
  cause text not null check (cause in ('event', 'bulk', 'merge')),
  primary key (person_id, lane)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
create index evaluation_due_first on evaluation_due (lane, first_xid, first_seq);

-- A recompute of everybody: asked for up to `wanted`, begun for `running`, finished for `done` (revisions).
create table recompute (
  id smallint primary key default 1 check (id = 1),
  wanted bigint not null default 0,
  running bigint not null default 0,
  done bigint not null default 0,
  after_person int not null default 0,
  persons int not null default 0,
  changed int not null default 0,
  total int not null default 0,
  started_at timestamptz,
  finished_at timestamptz
);
insert into recompute (id) values (1);

-- Two groups of level S that every brand has. A parent is a value too: online, but from where is not known.
insert into tag_group (id, code, name, level, created_at) overriding system value values
  (1, 'source_channel', '来客渠道', 's', '2026-01-01T00:00:00Z'),
  (2, 'gender', '性别', 's', '2026-01-01T00:00:00Z');
select setval(pg_get_serial_sequence('tag_group', 'id'), 100);

insert into tag (id, group_id, level, parent_id, code, name, volatility, subjectivity, derivation, composition, scope, producer, origin, purpose, plan, position, created_at)
overriding system value values
  (1, 1, 's', null, 'online', '线上', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '每月按渠道复盘加粉与转化', 1, '2026-01-01T00:00:00Z'),
  (2, 1, 's', 1, 'online_platform', '电商平台', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '包裹卡与平台客服加粉后的首单跟进', 2, '2026-01-01T00:00:00Z'),
  (3, 1, 's', 1, 'online_seo_ads', 'SEO广告', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '投放加粉后的首单跟进', 3, '2026-01-01T00:00:00Z'),
  (4, 1, 's', null, 'offline', '线下', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '每月按渠道复盘加粉与转化', 4, '2026-01-01T00:00:00Z'),
  (5, 1, 's', 4, 'offline_direct_store', '直营店', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '导购售后回访', 5, '2026-01-01T00:00:00Z'),
  (6, 1, 's', 4, 'offline_agent', '代理商', 'static', 'objective', 'fact', 'single', 'brand', 'system', 'synced', '按来客渠道群发', '代理商门店活动邀约', 6, '2026-01-01T00:00:00Z'),
  (7, 2, 's', null, 'female', '女', 'static', 'objective', 'fact', 'single', 'brand', 'guide', 'manual', '按性别推荐商品与话术', '上新与节日群发按性别分组', 1, '2026-01-01T00:00:00Z'),
  (8, 2, 's', null, 'male', '男', 'static', 'objective', 'fact', 'single', 'brand', 'guide', 'manual', '按性别推荐商品与话术', '上新与节日群发按性别分组', 2, '2026-01-01T00:00:00Z');
select setval(pg_get_serial_sequence('tag', 'id'), 1000);

