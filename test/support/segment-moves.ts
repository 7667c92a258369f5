/** What the log tells of segments, a row for each that somebody entered or left, also where one entry tells of several. */
import { sql } from '../../server/platform/postgres/sql.ts'

/** To stand in a from clause: type, person_id, segment, cause, source, lane, at, xid, seq. */
export const segmentMoves = sql`(
  select type, person_id, (data ->> 'segmentId')::int as segment, data ->> 'cause' as cause, source, lane, at, xid, seq
  from event_log where type in ('segment_entered', 'segment_left')
  union all
  select moved.type, person_id, moved.segment::int, data ->> 'cause', source, lane, at, xid, seq
  from event_log, lateral (
    select 'segment_entered' as type, jsonb_array_elements_text(data -> 'entered') as segment
    union all select 'segment_left', jsonb_array_elements_text(data -> 'left')) moved
  where event_log.type = 'segments_changed') moves`
