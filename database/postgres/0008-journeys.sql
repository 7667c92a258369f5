-- SOPs: definitions in versions, and who stands where in them.

create table journey (
  id uuid primary key,
  name text not null check (btrim(name) <> ''),
  template text not null,
  state text not null default 'draft' check (state in ('draft', 'live', 'paused', 'ended')),
  -- The version that new members enter; null until the first went live.
  live_version int,
  version int not null default 1,
  -- Which causes may enter beside event and time: bulk and definition only if the operator ticked them.
  enter_present boolean not null default false,
  -- How far taking in those who were in the segment before has come; null when there is nothing to take in.
  present_after int,
  live_since timestamptz,
  created_at timestamptz not null,
  created_by uuid references staff (id),
  demo boolean not null default false,
  check (state = 'draft' or live_version is not null)
);

create table journey_version (
  journey_id uuid not null references journey (id) on delete cascade,
  number int not null check (number > 0),
  definition jsonb not null,
  made_at timestamptz not null,
  live_at timestamptz,
  primary key (journey_id, number)
);
alter table journey add foreign key (id, live_version) references journey_version (journey_id, number) deferrable initially deferred;

-- A version is immutable once it was live.
create function journey_version_is_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'a version that was live does not change' using errcode = 'check_violation', constraint = 'journey_version_fixed';
end
$$;
create trigger journey_version_fixed before update on journey_version for each row
  when (old.live_at is not null and (new.definition is distinct from old.definition or new.live_at is distinct from old.live_at))
  execute function journey_version_is_fixed();

-- One stay of one person in one SOP. id = hash of SOP, person and what let the person in: the same cause enters once.
-- stop: counts the nodes passed, so that (enrolment, node, stop) names a visit for ever.
create table enrolment (
  id uuid primary key,
  journey_id uuid not null,
  number int not null,
  person_id int not null,
  state text not null default 'active' check (state in ('active', 'finished', 'left')),
  node_id text not null,
  stop int not null default 0,
  due_at timestamptz,
  -- A touch or a task whose outcome is awaited; due_at is then the end of patience.
  waits_for uuid,
  answer text,
  anchor_at timestamptz not null,
  facts jsonb not null default '{}',
  held_out boolean not null default false,
  entered_at timestamptz not null,
  ended_at timestamptz,
  reason text,
  -- The first purchase after entry, for the rate of return of treated and held out alike.
  returned_at timestamptz,
  foreign key (journey_id, number) references journey_version (journey_id, number),
  check ((state = 'active') = (ended_at is null)),
  check (state <> 'left' or reason is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create unique index enrolment_one_stay on enrolment (journey_id, person_id) where state = 'active';
create index enrolment_due on enrolment (due_at) where state = 'active' and due_at is not null;
create index enrolment_waits on enrolment (waits_for) where waits_for is not null;
create index enrolment_person on enrolment (person_id, entered_at);
create index enrolment_journey on enrolment (journey_id, entered_at, id);

-- How many passed each node, for the canvas; moved in the transaction that steps.
create table node_count (
  journey_id uuid not null,
  number int not null,
  node_id text not null,
  passed bigint not null default 0,
  primary key (journey_id, number, node_id)
) with (fillfactor = 50);

create table enrolment_moved (
  merge_id uuid not null,
  enrolment_id uuid not null references enrolment (id) on delete cascade,
  from_person int not null,
  was_active boolean not null,
  primary key (merge_id, enrolment_id)
);
