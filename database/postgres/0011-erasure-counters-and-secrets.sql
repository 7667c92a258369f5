-- What the callers of the API may still ask, shared by all serving processes. Not logged: after a crash all are full.
create unlogged table rate_bucket (
  subject text primary key,
  tokens float8 not null,
  filled_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Which boot of which machine wrote the time, and how long that had run: a clock that leaps goes ahead of both.
alter table business_clock add column boot text, add column run_ms bigint;

alter table person
  -- Through which kind of place; where nobody said more, the side.
  add column source_channel text check (source_channel in
    ('online', 'online_platform', 'online_seo_ads', 'offline', 'offline_direct_store', 'offline_agent')),
  -- Nothing that tells of somebody stays where the person was erased.
  add check (state <> 'erased' or (name is null and gender is null and birthday is null and city is null and joined_at is null
    and home_store_id is null and owner_staff_id is null and attributes = '{}' and identifiers = '{}' and follower_ids = '{}'
    and consents = '{}' and contact_results = '{}' and phone = 'none' and wecom = 'none'));
-- Asked for each person that is deleted, too.
create index person_merged on person (merged_into) where merged_into is not null;

-- Together: the profiles of the side whose words count as said again at that moment, so that they win.
alter table verdict add column keeps integer[] not null default '{}' check (keeps = '{}' or says = 'together');

-- Who asked to be forgotten: keyed hashes of their identifiers and of their records' keys, so that the next file or call
-- that names them brings nothing back. `erasure` holds together what was one person; nothing leads to the person.
create table erased_mark (
  digest bytea primary key,
  erasure uuid not null,
  at timestamptz not null
);
create index erased_mark_erasure on erased_mark (erasure);

-- Without any claim, the value of a person in a group of level S is the tag whose code is the person's attribute of the
-- group's code (gender, source_channel).
alter table s_tag drop constraint s_tag_origin_check,
  add constraint s_tag_origin_check check (origin in ('manual', 'auto', 'synced', 'attribute'));

-- When the person last became active again after having slept, by something that happened to them.
alter table person_state add column woken_at timestamptz;

-- How many entered and left each segment on a day of the brand; moved in the transaction that writes the answers.
create table segment_day (
  segment_id int not null,
  day date not null,
  entered int not null default 0 check (entered >= 0),
  "left" int not null default 0 check ("left" >= 0),
  primary key (segment_id, day)
) with (fillfactor = 50);

alter table channel
  -- What the real provider knows us by, sealed under a key of its own, and a masked name of it to show.
  add column secret_key bytea,
  add column secret bytea,
  add column account text,
  add check ((secret is null) = (secret_key is null) and (secret is null) = (account is null)),
  -- Whoever switches a channel off, or to a simulated provider, leaves no secret behind.
  add check (secret is null or mode in ('test', 'live'));

-- Decisions come in the order of their time: a summary of blocks is enough, and costs no write per decision.
drop index touch_day;
create index touch_day on touch using brin (decided_at) with (pages_per_range = 16, autosummarize = on);

-- Who of the staff last talked with whom, as far as the log tells.
create table talk (
  profile_id int not null references profile (id) on delete cascade,
  staff_id uuid not null references staff (id) on delete cascade,
  at timestamptz not null,
  primary key (profile_id, staff_id)
);

-- When a stay was due that a merge set aside, to be due then again.
alter table enrolment_moved add column due_at timestamptz;

-- Stores and staff that an import added because nobody knew them; its undo takes away those that nothing else uses.
create table import_place (
  import_id uuid not null references import_run (id) on delete cascade,
  kind text not null check (kind in ('store', 'staff')),
  place_id uuid not null,
  primary key (import_id, kind, place_id)
);

-- When the demo brand was gone: what a brand of one's own has published since is not the demo's.
alter table demo_brand add column removed_at timestamptz;
