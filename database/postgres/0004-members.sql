-- Members: profiles, persons, identifiers, relations to staff, merges, verdicts and reviews.
--
-- A profile is what one source knew together; it owns identifiers and attributes, each with its time.
-- A person is a set of profiles: person.id is the smallest profile id of the set, and the row is the fold of
-- its profiles, rewritten in the transaction that changes one of them. A person that was absorbed keeps its row
-- (state 'absorbed') for the undo. READ LIVE PERSONS ONLY: where person.state = 'live'.

-- Numbers of profiles and persons: known people from 1, demo people from 2^29, visitors from 2^30, demo visitors from
-- 2^30 + 2^29. The bit 2^29 says demo, and the checks below hold it: no real person can ever contain a demo profile.
create sequence known_profile as integer minvalue 1 maxvalue 536870911;
create sequence known_demo_profile as integer minvalue 536870912 maxvalue 1073741823;
create sequence visitor_profile as integer minvalue 1073741824 maxvalue 1610612735;
create sequence visitor_demo_profile as integer minvalue 1610612736 maxvalue 2147483647;

create table person (
  id integer primary key,
  public_id uuid not null unique,
  -- live: counts. absorbed: its profiles stand under merged_into. removed: its import was undone. erased: by request.
  state text not null default 'live' check (state in ('live', 'absorbed', 'removed', 'erased')),
  merged_into integer references person (id),
  kind text not null check (kind in ('member', 'customer', 'contact', 'visitor')),
  name text,
  gender text check (gender in ('female', 'male')),
  -- 'YYYY-MM-DD' as it was told, year 0000 where unknown; month and day of the lunar calendar where birthday_lunar
  birthday text check (birthday ~ '^\d{4}-\d{2}-\d{2}$'),
  birthday_lunar boolean not null default false,
  city text,
  joined_at timestamptz,
  register_channel text check (register_channel in ('online', 'offline')),
  registration text check (registration in ('registered', 'registered_before', 'bought_unregistered')),
  source text not null check (source in ('referral_fission', 'returning', 'member_get_member', 'guide_recruited', 'organic')),
  source_side text check (source_side in ('online', 'offline')),
  home_store_id uuid references store (id),
  owner_staff_id uuid references staff (id),
  -- further attributes, folded: {"occupation": "…", "custom.size": "M"}
  attributes jsonb not null default '{}',
  -- the best phone: a valid mobile, a valid fixed line, only invalid ones, or none
  phone text not null default 'none' check (phone in ('mobile', 'landline', 'invalid', 'none')),
  -- kinds of valid identifiers that the person has
  identifiers text[] not null default '{}',
  -- staff with a follow relation that stands
  follower_ids uuid[] not null default '{}',
  -- followed: at least one stands. lost: all ended. unfollowed: known to WeCom, no relation known. none: not in WeCom.
  wecom text not null default 'none' check (wecom in ('followed', 'lost', 'unfollowed', 'none')),
  -- {"sms": "granted" | "withdrawn"}; what is not there is unknown
  consents jsonb not null default '{}',
  -- what a channel last told: {"sms": "delivered" | "failed" | "blocked"}
  contact_results jsonb not null default '{}',
  -- some profile comes from a system of the brand (ERP, CRM, shop), not only from a guide's WeCom
  in_erp boolean not null default false,
  completeness smallint not null default 0 check (completeness between 0 and 100),
  demo boolean not null default false,
  first_seen_at timestamptz not null,
  changed_at timestamptz not null,
  check (demo = ((id & 536870912) <> 0)),
  check ((state = 'absorbed') = (merged_into is not null))
) with (fillfactor = 85);

create index person_name_trgm on person using gin (name gin_trgm_ops) where state = 'live';
create index person_home_store on person (home_store_id, id) where state = 'live' and home_store_id is not null;
create index person_owner on person (owner_staff_id, id) where state = 'live' and owner_staff_id is not null;
create index person_joined on person (coalesce(joined_at, '-infinity') desc, id desc) where state = 'live';

create table profile (
  id integer primary key,
  person_id integer not null,
  source text not null,
  -- keyed hash of the source's own id (it may be a phone number), or of the strongest identifier where it has none
  key bytea not null,
  -- {"field": [value, at in ms since 1970, source]}: for each field the latest of its layers
  attributes jsonb not null,
  -- this profile's AES key, wrapped by the master key; null once the person is erased: nothing can be read any more
  data_key bytea,
  -- sealed under it: {"<digest in hex>": "<value>"} for identifiers and addresses
  secret bytea,
  created_by uuid,
  created_at timestamptz not null,
  demo boolean not null default false,
  unique (source, key),
  foreign key (person_id) references person (id) deferrable initially deferred,
  check (person_id <= id),
  check (demo = ((id & 536870912) <> 0) and demo = ((person_id & 536870912) <> 0))
);

create index profile_person on profile (person_id);

-- What one origin (an import, or live traffic: the nil uuid) said of a profile that more than one origin touched.
-- attributes, relations and claims of a profile are the fold of its layers; one without layers was touched by its creator alone.
create table profile_layer (
  profile_id integer not null references profile (id) on delete cascade,
  origin uuid not null,
  attributes jsonb not null,
  -- {"<staff id>": {"externalUserid", "remark", "addWay", "state", "addedAt", "lostAt", "lostBy"}}; times in ms since 1970
  relations jsonb not null default '{}',
  -- {"<digest in hex>": [said at in ms since 1970, whether it is only a hint]}
  claims jsonb not null default '{}',
  primary key (profile_id, origin)
);
create index profile_layer_origin on profile_layer (origin) where origin <> '00000000-0000-0000-0000-000000000000';

create table identifier (
  profile_id integer not null references profile (id) on delete cascade,
  kind text collate "C" not null
    check (kind in ('phone', 'unionid', 'oa_openid', 'mp_openid', 'external_userid', 'card', 'email', 'device')),
  -- app id, corp id or ERP name where the kind needs one, else empty; demo data has scopes of its own
  scope text collate "C" not null,
  -- keyed hash of the whole normalised value
  digest bytea not null,
  -- the row that came first for its value: its unique index judges races
  first boolean not null,
  -- The value itself is sealed in profile.secret under this row's digest.
  -- active: said by the source. superseded: the source says another one now. disowned: by hand, another's.
  -- hint: from a guide's remark, only proposes. worn: more than a hundred profiles use it, it tells nobody apart.
  state text not null check (state in ('active', 'superseded', 'disowned', 'hint', 'worn')),
  -- whether it is well-formed (phones and e-mails can be wrong)
  valid boolean not null,
  -- whether it may join profiles: active, valid and of a kind that joins
  links boolean not null,
  form text check (form in ('mobile', 'landline')),
  -- keyed hash by which people look for it: the last four digits of a phone, the whole of a card whatever its system
  lookup bytea,
  at timestamptz not null,
  demo boolean not null default false,
  primary key (profile_id, digest),
  check (not links or (state = 'active' and valid)),
  check (demo = starts_with(scope, 'demo:'))
);

create unique index identifier_first on identifier (kind, scope, digest) where first;
create index identifier_further on identifier (kind, scope, digest) where not first;
create index identifier_lookup on identifier (lookup) where lookup is not null;

-- A follow relation in WeCom. It stands while it was added after it was last lost.
create table relation (
  profile_id integer not null references profile (id) on delete cascade,
  staff_id uuid not null references staff (id),
  external_userid text not null,
  remark text,
  add_way text,
  state text,
  added_at timestamptz not null,
  lost_at timestamptz,
  lost_by text check (lost_by in ('member', 'staff', 'import')),
  standing boolean not null generated always as (lost_at is null or added_at > lost_at) stored,
  primary key (profile_id, staff_id)
);
create index relation_staff on relation (staff_id, profile_id) where standing;
create index relation_contact on relation (external_userid, staff_id);

-- Each time profiles came under another person. `undone_at`: they stand by themselves again.
create table merge (
  id uuid primary key,
  kept_person integer not null references person (id),
  absorbed_person integer not null references person (id),
  profiles integer[] not null,
  -- identifier: they share one. hand: somebody joined them. birth: the absorbed profiles were born into the kept person
  -- (known only when they part). import: the oldest profile went with its import, the person goes on under the next.
  cause text not null check (cause in ('identifier', 'hand', 'birth', 'import')),
  -- the claims that joined them: [{"profile", "kind", "scope", "digest"}]
  via jsonb not null default '[]',
  actor uuid references staff (id),
  import_id uuid,
  at timestamptz not null,
  undone_at timestamptz,
  undone_by uuid references staff (id),
  undo_cause text check (undo_cause in ('hand', 'parted', 'import')),
  check ((undone_at is null) = (undo_cause is null)),
  check (kept_person <> absorbed_person)
);
create index merge_kept on merge (kept_person);
create index merge_absorbed on merge (absorbed_person);
create index merge_import on merge (import_id) where import_id is not null;

-- What people decided about two profiles; it outlives every import and is stronger than identifiers.
create table verdict (
  id uuid primary key,
  low integer not null references profile (id) on delete cascade,
  high integer not null references profile (id) on delete cascade,
  says text not null check (says in ('together', 'apart')),
  merge_id uuid,
  actor uuid references staff (id),
  at timestamptz not null,
  revoked_at timestamptz,
  revoked_by_merge uuid,
  check (low < high)
);
create unique index verdict_pair on verdict (low, high) where revoked_at is null;
create index verdict_high on verdict (high) where revoked_at is null;
create index verdict_merge on verdict (merge_id);

-- Questions that only a person can answer. Evidence names fields and scores, never values.
create table review (
  id uuid primary key,
  kind text not null check (kind in ('conflict', 'fuzzy')),
  -- the identifier's hash (conflict), or the pair of profiles (fuzzy)
  key bytea not null,
  profiles integer[] not null,
  identifier_kind text,
  score real,
  evidence jsonb not null,
  state text not null default 'open' check (state in ('open', 'joined', 'apart', 'settled')),
  at timestamptz not null,
  decided_at timestamptz,
  decided_by uuid references staff (id),
  unique (kind, key)
);
create index review_open on review (kind, score desc, id) where state = 'open';
create index review_profiles on review using gin (profiles) where state = 'open';
