-- Each change of a member's segments writes all of them into the index by segments. In its order at once, 4 MB at a time,
-- that took half of the time of the change, and whoever filled the 4 MB waited for all of them (0.6 s with a million members).
-- What waits is put in order every minute (housekeeping `order-membership`), or at 64 MB by whoever fills them.
alter index person_segment_segments set (gin_pending_list_limit = 65536);
