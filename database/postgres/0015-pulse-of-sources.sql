-- When each source outside last told something, and its longest silence that ended on each day: what it is used to.
create table source_pulse (
  source text not null,
  -- of receipt, in UTC
  day date not null,
  last_at timestamptz not null,
  -- unknown for the first word of all
  longest_gap interval,
  primary key (source, day)
);
