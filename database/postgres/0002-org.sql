-- The organisation: one brand, its regions, stores and staff, who may do what, and who did what.

create table brand (
  id smallint primary key default 1 check (id = 1),
  name text not null check (name <> ''),
  zone text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  version int not null default 1,
  created_at timestamptz not null
);

-- The latest business time that was ever used; it never goes back.
create table business_clock (
  id smallint primary key default 1 check (id = 1),
  reached timestamptz not null
);

-- Shared settings by name (bands, caps, quiet hours, …); the schema of a value stands in the contract.
create table setting (
  name text primary key,
  version int not null check (version > 0),
  value jsonb not null,
  changed_at timestamptz not null,
  changed_by uuid
);

create table setting_version (
  name text not null references setting (name) on delete cascade deferrable initially deferred,
  version int not null,
  value jsonb not null,
  changed_at timestamptz not null,
  changed_by uuid,
  primary key (name, version)
);

create table region (
  id uuid primary key,
  code text not null unique check (code <> ''),
  name text not null check (name <> ''),
  version int not null default 1,
  demo boolean not null default false,
  created_at timestamptz not null
);

create table store (
  id uuid primary key,
  region_id uuid references region (id),
  code text not null unique check (code <> ''),
  name text not null check (name <> ''),
  city text,
  side text not null default 'offline' check (side in ('online', 'offline')),
  state text not null default 'open' check (state in ('open', 'closed')),
  version int not null default 1,
  demo boolean not null default false,
  created_at timestamptz not null
);
create index store_region on store (region_id);

create table staff (
  id uuid primary key,
  login text not null check (login = lower(login) and login <> ''),
  name text not null check (name <> ''),
  -- The user id in WeCom, once connected.
  wecom_user_id text unique,
  state text not null default 'active' check (state in ('active', 'disabled')),
  -- argon2id in its own text form; null: cannot sign in with a password.
  password_hash text,
  password_changed_at timestamptz,
  must_change_password boolean not null default true,
  version int not null default 1,
  demo boolean not null default false,
  created_at timestamptz not null
);
create unique index staff_login on staff (login);

create table staff_role (
  staff_id uuid not null references staff (id) on delete cascade,
  role text not null check (role in ('owner', 'operator', 'regional_manager', 'store_manager', 'guide', 'customer_service', 'analyst', 'engineer')),
  primary key (staff_id, role)
);

create table staff_right (
  staff_id uuid not null references staff (id) on delete cascade,
  "right" text not null check ("right" in ('approve', 'see_personal', 'export')),
  primary key (staff_id, "right")
);

create table staff_store (
  staff_id uuid not null references staff (id) on delete cascade,
  store_id uuid not null references store (id),
  primary key (staff_id, store_id)
);
create index staff_store_store on staff_store (store_id);

create table staff_region (
  staff_id uuid not null references staff (id) on delete cascade,
  region_id uuid not null references region (id),
  primary key (staff_id, region_id)
);
create index staff_region_region on staff_region (region_id);

-- A browser that is signed in. Only digests are kept: a copy of this table opens no session.
create table session (
  digest bytea primary key,
  csrf_digest bytea not null,
  staff_id uuid not null references staff (id) on delete cascade,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  address text,
  agent text
);
create index session_staff on session (staff_id);
create index session_expires on session (expires_at);

-- Failed sign-ins per account and per address (both as keyed text), so that every process throttles alike.
create table sign_in_failure (
  kind text not null check (kind in ('account', 'address')),
  subject text not null,
  failures int not null,
  since timestamptz not null,
  blocked_until timestamptz,
  primary key (kind, subject)
);

create table api_key (
  id uuid primary key,
  name text not null check (name <> ''),
  -- The first characters, to recognise a key; the rest is known to its holder only.
  prefix text not null,
  digest bytea not null unique,
  scopes text[] not null,
  per_minute int not null check (per_minute between 1 and 1000000),
  staff_id uuid not null references staff (id) on delete cascade,
  version int not null default 1,
  created_at timestamptz not null,
  expires_at timestamptz,
  used_at timestamptz,
  revoked_at timestamptz
);

-- What a POST answered, so that its repeat with the same Idempotency-Key does nothing and answers the same.
create table idempotency (
  caller text not null,
  key text not null,
  route text not null,
  digest bytea not null,
  state text not null check (state in ('running', 'done', 'secret')),
  reply jsonb,
  started_at timestamptz not null,
  primary key (caller, key)
);
create index idempotency_started on idempotency (started_at);

-- Who did what. No personal data in clear: values that are personal are named, never shown.
create table audit_trail (
  seq bigint generated always as identity primary key,
  id uuid not null unique,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('staff', 'api_key', 'system')),
  actor_id uuid,
  action text not null,
  object_kind text not null,
  object_id text,
  reason text,
  before jsonb,
  after jsonb,
  request_id text,
  address text
);
create index audit_trail_at on audit_trail (at);
create index audit_trail_object on audit_trail (object_kind, object_id, seq);
create index audit_trail_actor on audit_trail (actor_id, seq);
create index audit_trail_action on audit_trail (action, seq);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger audit_trail_stands before update or delete on audit_trail
  for each row execute function refuse_change();
create trigger audit_trail_is_never_emptied before truncate on audit_trail
  for each statement execute function refuse_change();

create table product (
  id uuid primary key,
  sku text not null unique check (sku <> ''),
  name text not null,
  category text,
  price_cents bigint check (price_cents >= 0),
  cost_cents bigint check (cost_cents >= 0),
  version int not null default 1,
  demo boolean not null default false
);

-- Days that matter to plans: holidays, working weekends, promotion windows. Dates of the brand's zone, both included.
create table calendar_entry (
  id uuid primary key,
  kind text not null check (kind in ('holiday', 'workday', 'promotion')),
  name text not null check (name <> ''),
  first_day date not null,
  last_day date not null,
  version int not null default 1,
  demo boolean not null default false,
  check (first_day <= last_day)
);
create index calendar_entry_days on calendar_entry (first_day, last_day);

-- A fingerprint of the master key, so that a start with another key is refused before anything is written with it.
create table master_key_check (
  id smallint primary key default 1 check (id = 1),
  fingerprint bytea not null
);
