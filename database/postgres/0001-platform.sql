-- Leases: who may do a piece of work now. Every new holder gets a greater token.
-- A transaction that acts under a lease locks (name, token) FOR KEY SHARE: taking the lease over changes the token,
-- which is a key, and waits; renewing it changes expires_at only and does not.
create table lease (
  name text primary key,
  token bigint not null check (token > 0),
  holder text not null,
  expires_at timestamptz not null,
  unique (name, token)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
