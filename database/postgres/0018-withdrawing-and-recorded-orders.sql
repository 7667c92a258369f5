-- A SOP that was paused or has ended, while messages that it wanted to send may still wait.
alter table journey add column withdrawing boolean not null default false;
create index journey_withdrawing on journey (id) where withdrawing;

-- When a document was last written: what can name a store that an import added is younger than the import. Those that stand
-- already may have been written at any time.
alter table document add column recorded_at timestamptz not null default 'infinity';
create index document_recorded on document using brin (recorded_at) with (pages_per_range = 32, autosummarize = on)
  where kind = 'order';
