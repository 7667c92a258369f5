-- The demo brand: a synthetic brand that comes with an empty directory and can be taken out again as a whole.
-- Its people carry the bit of 0004-members.sql, its other rows the column `demo`; this file keeps how far it has come.

create table demo_brand (
  one boolean primary key default true check (one),
  -- seeding: rows are being written. settling: written, not yet evaluated. living: simulated people act.
  -- removing: rows are being taken out. removed: gone; a start does not bring it back by itself.
  state text not null check (state in ('seeding', 'settling', 'living', 'removing', 'removed')),
  seed text not null,
  members int not null check (members >= 0),
  -- What counted as now when the brand was made up: with the seed it gives the same brand again.
  began_at timestamptz not null,
  -- Members that are written, so that a seeding that was killed goes on.
  seeded int not null default 0,
  -- Until when simulated people have acted.
  lived_to timestamptz,
  -- The SOP that takes in a few valuable sleepers, once they are known.
  wake_segment_id int,
  wake_journey_id uuid
);

-- Members who joined while the brand lives.
create table demo_born (
  number int primary key,
  joined_at timestamptz not null
);

-- What the simulated providers know: written before they answer, so that a restart forgets nothing.
create table demo_message (
  channel text not null check (channel in ('wecom', 'sms')),
  id text not null,
  state jsonb not null,
  at timestamptz not null,
  primary key (channel, id)
);
