-- Exports of members as files: who asked for what, how far it is, and until when the file can be fetched.

create table export_run (
  id uuid primary key,
  -- Null: everybody whom the asker may see.
  segment_id int,
  segment_name text,
  format text not null check (format in ('csv', 'xlsx')),
  columns text[] not null check (cardinality(columns) > 0),
  lang text not null check (lang in ('zh', 'en')),
  full_phones boolean not null,
  state text not null default 'waiting' check (state in ('waiting', 'writing', 'done', 'cancelled', 'failed', 'gone')),
  -- Opens the file; without it nobody can.
  data_key bytea,
  rows int not null default 0,
  total int,
  rows_per_second real,
  bytes bigint,
  sheets int,
  cancel boolean not null default false,
  failure text,
  created_by uuid not null references staff (id) on delete cascade,
  created_at timestamptz not null,
  finished_at timestamptz,
  expires_at timestamptz,
  check ((state in ('waiting', 'writing')) = (finished_at is null)),
  check ((state = 'done') = (expires_at is not null)),
  check (state <> 'gone' or data_key is null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 200);
create index export_run_own on export_run (created_by, created_at desc);
create index export_run_waiting on export_run (created_at) where state in ('waiting', 'writing');
create index export_run_done on export_run (expires_at) where state = 'done';
