-- Which definitions a revision changed, so that a recompute answers only the segments that are concerned. A change of anything
-- else (tags, bands, cut points) stands without a segment: then everything is answered anew.
create table definition_change (
  revision bigint not null,
  segment_id int,
  unique nulls not distinct (revision, segment_id)
);

-- The segments that the recompute under way answers; null is everything.
alter table recompute add column segments int[];
