-- What was bought since a moment, and what nobody is known to have bought: each order is in one of the two.
create index document_bought on document (at) where kind = 'order' and not deleted and profile_id is not null;
create index document_without_buyer on document (at) where kind = 'order' and not deleted and profile_id is null;

-- Messages go out about in the order of their rows: a summary of blocks is enough, and costs no write per message.
create index touch_created on touch using brin (created_at) with (pages_per_range = 16, autosummarize = on);

-- A store or a guide that goes is looked for in every table that refers to it, row by row: also where the person is no
-- longer live, the relation over or the task done.
drop index person_home_store;
create index person_home_store on person (home_store_id, id) where home_store_id is not null;
drop index person_owner;
create index person_owner on person (owner_staff_id, id) where owner_staff_id is not null;
drop index relation_staff;
create index relation_staff on relation (staff_id, profile_id) include (standing);
create index merge_actor on merge (actor) where actor is not null;
create index merge_undone_by on merge (undone_by) where undone_by is not null;
create index verdict_actor on verdict (actor) where actor is not null;
create index review_decided_by on review (decided_by) where decided_by is not null;
create index talk_staff on talk (staff_id);
create index task_of_staff on task (staff_id);
create index task_of_store on task (store_id) where store_id is not null;
create index task_done_by on task (done_by) where done_by is not null;
