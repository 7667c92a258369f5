-- Segments that do not follow what happens: a snapshot keeps who was in it at a moment, one on demand is computed when
-- somebody asks.

alter table segment
  add column kind text not null default 'live' check (kind in ('live', 'snapshot', 'on_demand')),
  -- The take whose members count; 0: none was finished yet.
  add column take int not null default 0,
  add column taken_at timestamptz,
  add column taken_persons int,
  -- The take that was asked for: greater than `take` until it is finished. When it was asked for, and how far it is.
  add column wanted_take int not null default 0,
  add column wanted_at timestamptz,
  add column looked_at int not null default 0,
  add column look_total int not null default 0,
  -- A live segment with a take that is wanted becomes a snapshot when it is finished.
  add check (wanted_take >= take),
  add check ((take = 0) = (taken_at is null) and (taken_at is null) = (taken_persons is null));
create index segment_taking on segment (wanted_at) where wanted_take > take and state = 'live';

-- Who is in a take, by profile: a merge gives the place to the survivor, its undo gives it back, an erasure ends it.
create table segment_member (
  segment_id int not null references segment (id) on delete cascade,
  take int not null,
  profile_id int not null references profile (id) on delete cascade,
  primary key (segment_id, take, profile_id)
);
create index segment_member_profile on segment_member (profile_id);

-- What changed the size of a segment without anybody entering or leaving: members who were merged into others, or erased.
alter table segment_day add column otherwise int not null default 0;
