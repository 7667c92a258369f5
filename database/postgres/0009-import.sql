-- Imports of files: what was uploaded, how its columns were understood, how far it has been written, how to take it back.

create table import_run (
  id uuid primary key,
  kind text not null check (kind in ('members', 'orders', 'contacts')),
  -- The system that the file's own numbers belong to: order 17 of one till is not order 17 of another.
  source text not null check (source <> ''),
  state text not null check (state in (
    'uploaded', 'checking', 'checked', 'importing', 'imported', 'cancelled', 'failed', 'undoing', 'undone')),
  file_name text not null,
  bytes bigint not null,
  -- SHA-256 of the file, to say that it was imported before.
  digest bytea not null,
  format jsonb not null,
  mapping jsonb,
  -- Which part of the work is under way, and where it stands. The position and the counts move in the transaction
  -- of the chunk they tell of, and only for the holder of the token.
  stage text check (stage in ('reading', 'writing')),
  bucket int not null default 0,
  position int not null default 0,
  rejects_bytes bigint not null default 0,
  counts jsonb not null default '{}',
  rows_total int,
  -- What the dry run found.
  forecast jsonb,
  cancel boolean not null default false,
  failure text,
  token bigint not null default 0,
  leased_until timestamptz,
  created_by uuid,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  undo_until timestamptz,
  version int not null default 1,
  check ((state in ('checking', 'importing', 'undoing')) = (stage is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);
create index import_run_created on import_run (created_at);
create index import_run_waiting on import_run (state) where state in ('checking', 'importing', 'undoing');
create index import_run_digest on import_run (digest);

-- What one chunk wrote, to take it back: the orders it made and the bodies it replaced.
create table import_chunk (
  import_id uuid not null references import_run (id) on delete cascade,
  number int not null,
  created text[] not null,
  changed jsonb not null,
  undone boolean not null default false,
  primary key (import_id, number)
);

-- Refunds that came in a file without the order they belong to; the order's state is its lines less these.
create table import_refund (
  source text not null,
  external_id text not null,
  refund_key text not null,
  sku text not null,
  quantity numeric not null,
  amount_cents bigint not null check (amount_cents >= 0),
  import_id uuid not null references import_run (id),
  primary key (source, external_id, refund_key)
);
create index import_refund_import on import_refund (import_id);

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
