-- Guide tasks: what a person of the staff is asked to do, until when, and what came of it.

create table task (
  id uuid primary key,
  kind text not null check (kind in ('follow_up', 'invite', 'broadcast', 'tag')),
  state text not null default 'open' check (state in ('open', 'late', 'done', 'done_late', 'cancelled')),
  -- Null for a broadcast, which is for many.
  person_id int,
  staff_id uuid references staff (id),
  store_id uuid references store (id),
  journey_id uuid,
  journey_name text,
  enrolment_id uuid,
  node_id text,
  -- The hand-over in the outbox that a broadcast asks to confirm.
  outbox_id uuid,
  members int not null default 1 check (members > 0),
  title jsonb not null,
  reason jsonb not null,
  script text,
  tag_group_id int,
  feedback_needed boolean not null default false,
  due_at timestamptz not null,
  created_at timestamptz not null,
  ended_at timestamptz,
  done_by uuid references staff (id),
  outcome text,
  feedback text,
  demo boolean not null default false,
  check ((kind = 'broadcast') = (outbox_id is not null)),
  check (kind = 'broadcast' or person_id is not null),
  check ((state in ('done', 'done_late', 'cancelled')) = (ended_at is not null)),
  check (state not in ('done', 'done_late') or outcome is not null),
  check (state not in ('done', 'done_late') or not feedback_needed or btrim(feedback) <> ''),
  check (kind <> 'tag' or tag_group_id is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index task_staff on task (staff_id, due_at) where state in ('open', 'late');
create index task_store on task (store_id, due_at) where state in ('open', 'late');
create index task_due on task (due_at) where state = 'open';
create index task_person on task (person_id) where person_id is not null;
create index task_ended on task (ended_at) where ended_at is not null;
create index task_created on task (created_at, id);
create index task_enrolment on task (enrolment_id) where enrolment_id is not null;
create unique index task_outbox on task (outbox_id) where outbox_id is not null;

-- What a merge of persons moved, so that its undo moves exactly that back.
create table task_moved (
  merge_id uuid not null,
  task_id uuid not null references task (id) on delete cascade,
  from_person int not null,
  primary key (merge_id, task_id)
);

-- A task that has ended stays ended, but for the ten minutes in which a slip of the thumb can be taken back.
create function task_stays_ended() returns trigger language plpgsql as $$
begin
  raise exception 'the task was cancelled' using errcode = 'check_violation', constraint = 'task_cancelled';
end
$$;
create trigger task_cancelled before update of state on task for each row
  when (old.state = 'cancelled' and new.state <> 'cancelled') execute function task_stays_ended();
