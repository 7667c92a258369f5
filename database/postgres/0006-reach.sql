-- Reach: content, candidates and what became of them, caps, holdouts, the outbox and its channels.

-- The door to one provider. `simulated` speaks to a server on this machine only, so that nobody real is reached.
create table channel (
  name text primary key check (name in ('wecom', 'sms')),
  mode text not null default 'off' check (mode in ('off', 'simulated', 'test', 'live')),
  base_url text not null default '',
  -- Going live is an act of its own, confirmed by name.
  live_confirmed_by uuid references staff (id),
  live_confirmed_at timestamptz,
  -- The provider failed so often that nothing is handed to it before this moment.
  paused_until timestamptz,
  failing text,
  version int not null default 1,
  changed_at timestamptz not null,
  check (mode <> 'live' or (live_confirmed_by is not null and live_confirmed_at is not null)),
  check (mode <> 'simulated' or base_url ~ '^http://(127\.0\.0\.1|\[::1\]|localhost):[0-9]{1,5}(/[^@]*)?$'),
  check (mode in ('off', 'simulated') or base_url <> '')
);
insert into channel (name, changed_at) values ('wecom', '1970-01-01Z'), ('sms', '1970-01-01Z');

-- Who may be reached while a channel is in test: keyed hashes of phones and external user ids, and what to show of them.
create table channel_allowed (
  channel text not null references channel (name),
  digest bytea not null,
  shown text not null,
  added_at timestamptz not null,
  primary key (channel, digest)
);

create table content (
  id uuid primary key,
  name text not null check (name <> ''),
  channel text not null check (channel in ('wecom', 'sms')),
  kind text not null default 'service' check (kind in ('activity', 'care', 'product', 'interaction', 'service')),
  -- Liquid templates.
  body text not null check (body <> ''),
  attachments jsonb not null default '[]' check (jsonb_typeof(attachments) = 'array'),
  sms_sign text,
  sms_template text,
  sms_params jsonb not null default '{}',
  -- Values of one member stand in it, so that it can only be copied by a person, never mass sent.
  per_member boolean not null,
  version int not null default 1,
  demo boolean not null default false,
  changed_at timestamptz not null,
  retired_at timestamptz,
  check ((sms_sign is null) = (sms_template is null))
);

create table content_version (
  content_id uuid not null references content (id) on delete cascade,
  version int not null,
  body text not null,
  attachments jsonb not null,
  sms_params jsonb not null,
  per_member boolean not null,
  changed_at timestamptz not null,
  changed_by uuid,
  primary key (content_id, version)
);

-- One handing over to a channel: a mass message of one sender, or one SMS.
create table outbox (
  id uuid primary key,
  channel text not null references channel (name),
  class text not null check (class in ('marketing', 'welcome', 'transactional', 'answer')),
  sender_id uuid,
  sender_user_id text,
  content_id uuid not null references content (id),
  content_version int not null,
  body text not null,
  attachments jsonb not null,
  sms jsonb,
  -- Stands in the batch's own link, by which it is found again at the provider.
  marker text not null unique,
  slot timestamptz not null,
  state text not null default 'ready'
    check (state in ('ready', 'sending', 'asking', 'created', 'closing', 'closed', 'unknown', 'failed')),
  size int not null check (size between 1 and 10000),
  attempts int not null default 0,
  token bigint,
  -- Business time of the first and of the last call, written before the call.
  first_tried_at timestamptz,
  tried_at timestamptz,
  due_at timestamptz,
  provider_id text,
  created_at timestamptz,
  confirmed_at timestamptz,
  expires_at timestamptz,
  -- Why it is being closed: expired, quiet_hours, consent, no_contact, operator.
  close_reason text,
  last_error text,
  made_at timestamptz not null,
  check (state <> 'sending' or (token is not null and tried_at is not null)),
  check (state not in ('created', 'closing') or provider_id is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index outbox_due on outbox (channel, due_at) where state in ('ready', 'sending', 'asking', 'created', 'closing');
create index outbox_unknown on outbox (tried_at) where state = 'unknown';
create unique index outbox_provider on outbox (channel, provider_id) where provider_id is not null;

-- A candidate from its offer to its end. id = hash of enrolment, node and visit: a repeated offer changes nothing.
create table touch (
  id uuid primary key,
  person_id int not null references person (id),
  channel text not null check (channel in ('wecom', 'sms')),
  class text not null check (class in ('marketing', 'welcome', 'transactional', 'answer')),
  content_id uuid not null,
  content_version int,
  sender_id uuid,
  facts jsonb not null default '{}',
  journey_id uuid,
  enrolment_id uuid,
  node_id text,
  score real not null default 0,
  -- null until decided: what the channel costs then
  cost_cents int check (cost_cents >= 0),
  offered_at timestamptz not null,
  not_before timestamptz not null,
  expires_at timestamptz not null,
  due_at timestamptz,
  state text not null default 'offered' check (state in ('offered', 'deferred', 'held_out', 'dropped',
    'planned', 'sending', 'asked', 'created', 'confirmed', 'delivered', 'failed', 'quota', 'not_a_contact', 'expired', 'unknown')),
  reason text,
  slot timestamptz,
  outbox_id uuid references outbox (id),
  recipient text,
  decided_at timestamptz,
  created_at timestamptz,
  confirmed_at timestamptz,
  ended_at timestamptz,
  check (state not in ('deferred', 'held_out', 'dropped', 'failed', 'expired') or reason is not null),
  check (state not in ('offered', 'deferred') or (due_at is not null and outbox_id is null)),
  check (state not in ('created', 'unknown', 'quota') or outbox_id is not null)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index touch_waiting on touch (person_id, due_at) where state in ('offered', 'deferred');
create index touch_planned on touch (channel, slot) where state = 'planned' and outbox_id is null;
create index touch_outbox on touch (outbox_id) where outbox_id is not null;
create index touch_person on touch (person_id, offered_at);
create index touch_offered on touch (offered_at, id);
create index touch_journey on touch (journey_id, state) where journey_id is not null;
create index touch_enrolment on touch (enrolment_id) where state in ('offered', 'deferred', 'planned', 'sending');
create index touch_day on touch (decided_at);

-- The lock of a person, taken in id order, and when the arbiter looks at the person next.
create table person_cap (
  person_id int primary key,
  due_at timestamptz
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index person_cap_due on person_cap (due_at) where due_at is not null;

-- What counts against caps: reserved from the decision on (at is null), dated when it reached the person, deleted on release.
create table touch_ledger (
  touch_id uuid primary key references touch (id) on delete cascade,
  person_id int not null,
  channel text not null,
  class text not null,
  sender_id uuid,
  slot timestamptz not null,
  reserved_at timestamptz not null,
  at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
create index touch_ledger_person on touch_ledger (person_id);
create index touch_ledger_at on touch_ledger (at);

-- Sticky: the first decision about a person stands, whatever the share becomes. scope: null journey = the whole base.
create table holdout (
  person_id int not null,
  scope uuid not null,
  held boolean not null,
  share_permille int not null check (share_permille between 0 and 1000),
  decided_at timestamptz not null,
  primary key (person_id, scope)
);
create table holdout_key (
  id smallint primary key default 1 check (id = 1),
  key bytea not null check (octet_length(key) = 32)
);

-- Receipts as they came: a provider repeats them.
create table receipt (
  channel text not null,
  provider_id text not null,
  recipient_digest bytea not null,
  kind text not null,
  received_at timestamptz not null,
  primary key (channel, provider_id, recipient_digest, kind)
);

-- What a merge of persons moved, so that its undo moves exactly that back.
create table reach_moved (
  merge_id uuid not null,
  kind text not null check (kind in ('touch', 'ledger', 'holdout')),
  id uuid not null,
  from_person int not null,
  held boolean,
  share_permille int,
  decided_at timestamptz,
  primary key (merge_id, kind, id)
);

create function refuse_step() returns trigger language plpgsql as $$
begin
  raise exception '% does not allow this step', tg_table_name using errcode = 'check_violation', constraint = tg_name;
end
$$;

-- A member of the demo brand never reaches a real provider, whatever the code above does:
-- a hand-over may begin only where its channel stands open and is simulated if one of its people is a demo member.
create function outbox_reaches_nobody_by_accident() returns trigger language plpgsql as $$
declare
  open_mode text;
begin
  select mode into open_mode from channel where name = new.channel for share;
  if open_mode is null or open_mode = 'off' then
    raise exception 'channel % is off', new.channel using errcode = 'check_violation', constraint = 'channel_is_off';
  end if;
  if open_mode <> 'simulated' and exists (
    select 1 from touch t join person p on p.id = t.person_id where t.outbox_id = new.id and p.demo
  ) then
    raise exception 'a demo member must not reach a real channel'
      using errcode = 'check_violation', constraint = 'demo_stays_simulated';
  end if;
  return new;
end
$$;
create trigger outbox_begins before update of state on outbox for each row
  when (new.state = 'sending') execute function outbox_reaches_nobody_by_accident();
create trigger outbox_is_made_ready before insert on outbox for each row
  when (new.state <> 'ready') execute function refuse_step();

-- Nobody joins a hand-over after it has begun.
create function touch_joins_before_the_call() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from outbox where id = new.outbox_id and state = 'ready' for share) then
    raise exception 'the hand-over has begun' using errcode = 'check_violation', constraint = 'joined_too_late';
  end if;
  return new;
end
$$;
create trigger touch_joins before update of outbox_id on touch for each row
  when (new.outbox_id is not null and new.outbox_id is distinct from old.outbox_id)
  execute function touch_joins_before_the_call();
create trigger touch_is_offered before insert on touch for each row
  when (new.outbox_id is not null) execute function refuse_step();

-- What has ended stays ended.
create trigger touch_ended before update of state on touch for each row
  when (old.state in ('dropped', 'held_out', 'delivered', 'failed', 'quota', 'not_a_contact', 'expired') and new.state <> old.state)
  execute function refuse_step();
