-- Imports of files: what was uploaded, how its columns were understood, how far it has been written, how to take it back.

create table import_run (
  id uuid primary key,
  kind text not null check (kind in ('members', 'orders', 'contacts')),
  -- The system that the file's own numbers belong to: order 17 of one till is not order 17 of another.
  source text not null check (source <> ''),
  state text not null check (state in (
    'uploaded', 'checking', 'checked', 'importing', 'imported', 'cancelled', 'failed', 'undoing', 'undone')),
  file_name text not null,
  path text not null,
  -- An upload is removed when the import has ended; a file that a command named stays where it is.
  owned boolean not null,
  bytes bigint not null,
  -- SHA-256 of the file, to say that it was imported before.
  digest bytea not null,
  format jsonb not null,
  mapping jsonb,
  -- The time that every value without a time of its own is said at; and the zone of wall clocks.
  said_at timestamptz,
  zone text,
  -- Opens the rejected rows and what is put aside while reading.
  data_key bytea not null,
  -- Where the work stands. Position, counts and the length of the rejected rows move in the transaction of the chunk
  -- that they tell of.
  stage text check (stage in ('reading', 'writing')),
  buckets int not null default 0,
  bucket int not null default 0,
  position int not null default 0,
  chunks int not null default 0,
  rejects_bytes bigint not null default 0,
  counts jsonb not null default '{}',
  rows_total int,
  read_share real not null default 0,
  rows_per_second real,
  -- What the dry run found.
  forecast jsonb,
  cancel boolean not null default false,
  failure text,
  created_by uuid,
  created_at timestamptz not null,
  finished_at timestamptz,
  undo_until timestamptz,
  -- When the rejected rows were removed.
  forgotten_at timestamptz,
  version int not null default 1,
  check ((state in ('checking', 'importing', 'undoing')) = (stage is not null))
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
create index import_run_created on import_run (created_at desc, id desc);
create index import_run_waiting on import_run (created_at) where stage is not null;
create index import_run_digest on import_run (digest);

-- What one chunk wrote, to take it back: the orders it made, what it replaced, and the versions that this led to.
create table import_chunk (
  import_id uuid not null references import_run (id) on delete cascade,
  number int not null,
  -- Orders that were new, as they stand at version 1 unless `versions` says otherwise.
  created text[] not null,
  -- Order → version, where it is not 1.
  versions jsonb not null,
  -- The documents as they were before.
  changed jsonb not null,
  -- Refunds that were listed apart, each with what it was before or null.
  refunds jsonb not null,
  primary key (import_id, number)
);

-- How the columns of a file were understood, to be used again for a file with the same headings.
create table import_mapping (
  id uuid primary key,
  kind text not null check (kind in ('members', 'orders', 'contacts')),
  name text not null check (name <> ''),
  fingerprint bytea not null,
  mapping jsonb not null,
  version int not null default 1,
  created_by uuid,
  created_at timestamptz not null,
  used_at timestamptz not null,
  unique (kind, fingerprint)
);
