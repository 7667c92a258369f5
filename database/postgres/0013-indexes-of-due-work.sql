-- What is due is found without walking over what is not: in SOPs that are paused, in tasks that were done long ago, among
-- messages that wait for a channel which is off.

-- The next stays of each live SOP; those of a paused one lie aside.
create index enrolment_due_in on enrolment (journey_id, due_at) where state = 'active' and due_at is not null;
drop index enrolment_due;

-- The score of one guide: what fell due, and what was done, within the last days.
create index task_guide_due on task (staff_id, due_at) where state <> 'cancelled';
create index task_guide_ended on task (staff_id, ended_at) where ended_at is not null;

-- Planned touches end when they are not wanted any more, also where their channel is off and forms no hand-over of them.
create index touch_planned_expires on touch (expires_at) where state = 'planned' and outbox_id is null;

-- Which mass messages of the last days are known to be ours, for the search after a lost answer.
create index outbox_created on outbox (channel, created_at) where provider_id is not null;
