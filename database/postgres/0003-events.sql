-- The log: everything that happened, in the order (xid, seq). A row is readable once xid < pg_snapshot_xmin(…): then no
-- earlier position can still appear. One partition a UTC day of receipt, made on demand. No personal data.
create table event_log (
  day date not null,
  xid xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity (cache 100),
  lane smallint not null check (lane in (0, 1)),
  id uuid not null,
  type text not null,
  profile_id int,
  person_id int,
  at timestamptz not null,
  received_at timestamptz not null,
  source text not null,
  data jsonb not null
) partition by range (day);
create index event_log_position on event_log (lane, xid, seq);

-- What became of each day. Closed days form a prefix: nothing is ever written into one again.
create table log_day (
  day date primary key,
  state text not null default 'open' check (state in ('open', 'closed', 'archived', 'dropped')),
  closed_at timestamptz,
  file text,
  row_count bigint,
  byte_count bigint,
  sha256 text,
  archived_at timestamptz,
  dropped_at timestamptz,
  check (state in ('open', 'closed') or (file is not null and row_count is not null and sha256 is not null))
);

-- De-duplication of what comes from outside: two tables in turn, so that forgetting is a truncate.
create table seen_a (source text not null, id uuid not null, primary key (source, id));
create table seen_b (source text not null, id uuid not null, primary key (source, id));
create table seen_turn (
  one boolean primary key default true check (one),
  present text not null check (present in ('a', 'b')),
  since timestamptz not null
);
insert into seen_turn (present, since) values ('a', '-infinity');

-- How far each consumer has come, by lane (0 live, 1 bulk).
create table consumer (
  name text not null,
  lane smallint not null check (lane in (0, 1)),
  xid xid8 not null default '0',
  seq bigint not null default 0,
  moved_at timestamptz,
  primary key (name, lane)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The projection into ClickHouse: which generation of its tables, and whether they are being made again.
create table projection (
  one boolean primary key default true check (one),
  epoch int not null default 1,
  rebuilding_since timestamptz
);
insert into projection default values;

-- The bounds of a batch, written before its first insert: after a crash the same bounds give the same tokens.
create table projection_batch (
  lane smallint primary key check (lane in (0, 1)),
  epoch int not null,
  from_xid xid8 not null,
  from_seq bigint not null,
  to_xid xid8 not null,
  to_seq bigint not null
);

-- Documents with a life, for ever: the latest state by (kind, source, external_id).
-- `stated` is what the source said, where `body` (with the refunds merged in) differs from it. Version 0 is an order
-- that only its refunds have told of: its row is what writers of the order and of its refunds lock.
create table document (
  kind text not null check (kind in ('order', 'refund')),
  source text not null,
  external_id text not null,
  parent_id text check ((kind = 'refund') = (parent_id is not null)),
  version int not null check (version >= 0),
  revision bigint,
  digest bytea not null,
  profile_id int,
  person_id int,
  at timestamptz not null,
  total_cents bigint not null default 0,
  refunded_cents bigint not null default 0,
  deleted boolean not null default false,
  stated jsonb,
  body jsonb not null,
  primary key (kind, source, external_id)
);
create index document_profile on document (profile_id, at) where profile_id is not null and kind = 'order';
create index document_parent on document (source, parent_id) where kind = 'refund';

-- Where the ClickHouse rows of a profile stand, for every profile that a merge has ever moved: those under
-- stored_person_id with placed = move count, no others. A move writes copies (moving_to, move + 1), switches, and then
-- deletes what is left under left_person_id. A profile -n stands for the rows of person n that carry no profile.
create table profile_home (
  profile_id int primary key,
  person_id int not null,
  stored_person_id int not null,
  move int not null default 0,
  moving_to int,
  left_person_id int
);
create index profile_home_person on profile_home (person_id)
  where person_id <> stored_person_id or moving_to is not null or left_person_id is not null;
create index profile_home_stored on profile_home (stored_person_id)
  where person_id <> stored_person_id or moving_to is not null or left_person_id is not null;
create index profile_home_moving on profile_home (moving_to) where moving_to is not null;
create index profile_home_left on profile_home (left_person_id) where left_person_id is not null;
create index profile_home_carried on profile_home (person_id) where profile_id < 0;

-- Which of those -n went along with a merge, for its undo.
create table merge_carried (
  merge_id uuid primary key,
  profile_ids int[] not null
);

-- Events that a handler could not take, put aside so that nobody else waits. Later events of the same person stand behind.
create table dead_letter (
  id uuid primary key,
  handler text not null,
  lane smallint not null,
  xid xid8 not null,
  seq bigint not null,
  person_id int,
  event jsonb not null,
  state text not null check (state in ('trying', 'behind', 'dead', 'discarded')),
  attempts int not null default 0,
  reason text not null,
  next_try_at timestamptz,
  first_failed_at timestamptz not null,
  last_failed_at timestamptz not null,
  decided_by text,
  check ((state = 'trying') = (next_try_at is not null)),
  unique (handler, xid, seq)
);
create index dead_letter_person on dead_letter (handler, person_id) where state <> 'discarded';
create index dead_letter_due on dead_letter (next_try_at) where state = 'trying';
