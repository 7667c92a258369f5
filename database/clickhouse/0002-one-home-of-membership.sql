-- Who is in which segment stands in PostgreSQL only (docs/decisions/0033-no-copy-of-membership.md).
drop table if exists person_segment;
