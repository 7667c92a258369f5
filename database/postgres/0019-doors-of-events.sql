-- The doors for events of a brand's own tracking: its sources with their public write keys, whose profiles they speak
-- of, the tracking plan, and what was seen of every event beside it.
create table event_source (
  id uuid primary key,
  -- Names the source in the log for ever.
  code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,39}$'),
  name text not null check (name <> ''),
  -- Public: it stands in pages and apps.
  write_key text not null unique check (write_key <> ''),
  -- Sites whose pages may send ('https://shop.example.com'); none: any site.
  origins text[] not null default '{}',
  -- What its user ids are: numbers of the records of a source (its scope), or a kind of identifier.
  user_id_kind text not null default 'member_no'
    check (user_id_kind in ('member_no', 'phone', 'unionid', 'oa_openid', 'mp_openid', 'external_userid', 'card', 'email')),
  user_id_scope text not null default '',
  state text not null default 'open' check (state in ('open', 'closed')),
  version int not null default 1,
  created_at timestamptz not null
);

-- Profiles that events of these doors name: undoing the import that made one leaves it.
create table event_profile (
  profile_id int primary key references profile (id) on delete cascade
);

-- The tracking plan: events that the brand knows, with the types of their properties: {"name": {"type": …, "required": …}}.
create table planned_event (
  name text primary key check (name <> ''),
  description text not null default '',
  properties jsonb not null default '{}',
  version int not null default 1,
  changed_at timestamptz not null,
  changed_by uuid
);

-- Every event that came, by source and name, and each of its properties by the type it came with.
-- Counts are written every second; a process that is killed takes its last second with it.
create table seen_event (
  source text not null,
  name text not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  count bigint not null check (count >= 0),
  -- How often a part of it was not kept as it came.
  cut bigint not null default 0,
  left_out bigint not null default 0,
  hidden bigint not null default 0,
  primary key (source, name)
);
create table seen_property (
  source text not null,
  event text not null,
  property text not null,
  type text not null check (type in ('text', 'number', 'boolean', 'time')),
  first_at timestamptz not null,
  last_at timestamptz not null,
  count bigint not null check (count >= 0),
  -- One value, without personal data.
  sample text not null,
  primary key (source, event, property, type),
  foreign key (source, event) references seen_event (source, name) on delete cascade
);

-- Records that were not taken, by day of receipt (UTC) and reason.
create table refused_event (
  source text not null,
  day date not null,
  reason text not null,
  name text not null default '',
  last_at timestamptz not null,
  count bigint not null check (count >= 0),
  primary key (source, day, reason, name)
);

-- Things that events are about, as their source describes them.
create table tracked_item (
  source text not null,
  type text not null,
  id text not null,
  properties jsonb not null,
  at timestamptz not null,
  primary key (source, type, id)
);
