-- Usage of modules: every event once, and what it adds up to. Days are UTC.
-- Idempotent. 006 says who may read the tables; 007 counts, 008 maintains.

-- The raw events. An event belongs to the organisation and the id that it came with, and its partition follows from the id, whose
-- first 48 bits are its time: a retry that names another time meets the same key in the same partition.
create table if not exists public.platform_module_usage (
  event_id      uuid not null check (substr(event_id::text, 15, 1) = '7'),
  org_id        text collate "C" not null check (length(org_id) between 1 and 200),
  user_id       text collate "C" not null check (length(user_id) between 1 and 200),
  module_name   text collate "C" not null,
  event_type    text collate "C" not null check (event_type in ('api_call', 'page_view', 'feature_use', 'error', 'export', 'import')),
  source        text collate "C" not null check (source in ('http', 'sqs')),
  status        text collate "C" not null check (status in ('success', 'failure', 'partial')),
  occurred_at   timestamptz not null,
  received_at   timestamptz not null default now(),
  duration_ms   integer check (duration_ms >= 0),
  content_hash  bytea not null check (length(content_hash) = 16),
  event_action  text,
  endpoint      text,
  http_method   text,
  error_code    text,
  error_message text,
  metadata      jsonb,
  primary key (event_id, org_id)
) partition by range (event_id);

-- Finds the events of a day where the roll-up is verified or rebuilt. Multi, because late events would widen a plain minimum and
-- maximum until every block could hold every day.
create index if not exists platform_module_usage_by_time on public.platform_module_usage
  using brin (occurred_at timestamptz_minmax_multi_ops);

comment on table  public.platform_module_usage is 'Every counted event, never changed; the daily table is what they add up to.';
comment on column public.platform_module_usage.event_id is 'UUIDv7 of the sender, or made on receipt; with the organisation it is what makes an event the same event.';
comment on column public.platform_module_usage.org_id is 'The organisation that used the module.';
comment on column public.platform_module_usage.user_id is 'Who used it.';
comment on column public.platform_module_usage.module_name is 'The module. No foreign key: usage outlives modules.';
comment on column public.platform_module_usage.event_type is 'What kind of use.';
comment on column public.platform_module_usage.source is 'The way it came first: http or sqs.';
comment on column public.platform_module_usage.status is 'How the use ended: success, failure or partial.';
comment on column public.platform_module_usage.occurred_at is 'When it happened, as the sender said, else the time in its id. Its UTC day is the day it counts for.';
comment on column public.platform_module_usage.received_at is 'When it was stored.';
comment on column public.platform_module_usage.duration_ms is 'How long it took; null where that was not sent.';
comment on column public.platform_module_usage.content_hash is 'First 16 bytes of SHA-256 over all that was sent but the time: the same id with another hash is a conflict.';
comment on column public.platform_module_usage.event_action is 'What was done, in words of the module.';
comment on column public.platform_module_usage.endpoint is 'The path that was called.';
comment on column public.platform_module_usage.http_method is 'The method it was called with.';
comment on column public.platform_module_usage.error_code is 'Code of the failure.';
comment on column public.platform_module_usage.error_message is 'Words of the failure.';
comment on column public.platform_module_usage.metadata is 'Whatever else the sender keeps; its keys are never re-cased.';

-- Room in the pages for new versions of a row, which ingestion makes all day long.
create table if not exists public.platform_module_usage_daily (
  org_id         text collate "C" not null,
  usage_date     date not null,
  module_name    text collate "C" not null,
  event_type     text collate "C" not null,
  source         text collate "C" not null,
  total          bigint not null,
  successes      bigint not null,
  failures       bigint not null,
  partials       bigint not null,
  unique_users   bigint not null,
  duration_count bigint not null,
  duration_sum   bigint not null,
  duration_min   integer,
  duration_max   integer,
  scope          bytea not null check (length(scope) = 16),
  primary key (org_id, usage_date, module_name, event_type, source),
  constraint every_event_ended_somehow check (total = successes + failures + partials)
) with (fillfactor = 70);

-- Statistics over all organisations.
create index if not exists platform_module_usage_daily_by_date on public.platform_module_usage_daily (usage_date);

comment on table  public.platform_module_usage_daily is 'What the raw events of a UTC day add up to; kept when they are dropped.';
comment on column public.platform_module_usage_daily.org_id is 'The organisation.';
comment on column public.platform_module_usage_daily.usage_date is 'The UTC day on which the events happened.';
comment on column public.platform_module_usage_daily.module_name is 'The module.';
comment on column public.platform_module_usage_daily.event_type is 'What kind of use.';
comment on column public.platform_module_usage_daily.source is 'The way the events came.';
comment on column public.platform_module_usage_daily.total is 'Events.';
comment on column public.platform_module_usage_daily.successes is 'Events that ended well.';
comment on column public.platform_module_usage_daily.failures is 'Events that failed.';
comment on column public.platform_module_usage_daily.partials is 'Events that ended half well.';
comment on column public.platform_module_usage_daily.unique_users is 'Different users; over several rows they do not add up, platform_module_usage_user tells.';
comment on column public.platform_module_usage_daily.duration_count is 'Events that came with a duration.';
comment on column public.platform_module_usage_daily.duration_sum is 'Their durations in milliseconds, added up.';
comment on column public.platform_module_usage_daily.duration_min is 'The shortest; null without any.';
comment on column public.platform_module_usage_daily.duration_max is 'The longest; null without any.';
comment on column public.platform_module_usage_daily.scope is 'The key as one short value, under which platform_module_usage_user lists the users.';

-- One row per user of a daily row. Most events meet a row that is there, and finding it is what exact users cost: so the daily row's
-- key is one short value here.
create table if not exists public.platform_module_usage_user (
  scope   bytea not null,
  user_id text collate "C" not null,
  org_id  text collate "C" not null,
  primary key (scope, user_id, org_id)
);

comment on table  public.platform_module_usage_user is 'Who used what on which UTC day, so that users of any period are counted exactly and without the raw events.';
comment on column public.platform_module_usage_user.scope is 'Organisation, day, module, event type and source, as module_mgmt.usage_scope makes one value of them.';
comment on column public.platform_module_usage_user.user_id is 'The user.';
comment on column public.platform_module_usage_user.org_id is 'The organisation, for row-level security and for distributing the table.';

-- As databases had it whose table of sealed days was called otherwise.
do $$
begin
  if to_regclass('public.platform_module_usage_day') is not null then
    alter table public.platform_module_usage_day rename to platform_module_usage_sealed_day;
    alter table public.platform_module_usage_sealed_day rename constraint platform_module_usage_day_pkey to platform_module_usage_sealed_day_pkey;
  end if;
end
$$;

create table if not exists public.platform_module_usage_sealed_day (
  usage_date     date primary key,
  events         bigint not null,
  sealed_at      timestamptz not null default now(),
  was_repaired   boolean not null default false,
  raw_dropped_at timestamptz
);

comment on table  public.platform_module_usage_sealed_day is 'Days that are sealed: recounted from raw, and closed for events. The raw events of other days are never dropped.';
comment on column public.platform_module_usage_sealed_day.usage_date is 'The UTC day; every earlier day is sealed too.';
comment on column public.platform_module_usage_sealed_day.events is 'How many events it has.';
comment on column public.platform_module_usage_sealed_day.sealed_at is 'When it was recounted and closed.';
comment on column public.platform_module_usage_sealed_day.was_repaired is 'Whether the recount found a difference and rebuilt the day.';
comment on column public.platform_module_usage_sealed_day.raw_dropped_at is 'When raw events of the day may have been dropped; it cannot be recounted since.';

-- Who counts an event of a day holds one of the day's rows; who recounts the day holds all of them. Exclusive locks on one of many rows
-- instead of shared ones on a single row: Postgres lets a stream of shared locks starve whoever waits for all of them to end.
create table if not exists public.platform_module_usage_day_lock (
  usage_date date not null,
  slot       smallint not null check (slot between 0 and 31),
  primary key (usage_date, slot)
);

comment on table  public.platform_module_usage_day_lock is 'Rows that are only locked, so that a day is not counted and recounted at the same time.';
comment on column public.platform_module_usage_day_lock.usage_date is 'The UTC day.';
comment on column public.platform_module_usage_day_lock.slot is 'So many can count events of one day at the same time.';

-- Counts of this minute. Not logged: after a crash they begin anew, and to write them costs less.
create unlogged table if not exists public.platform_module_rate (
  org_id   text collate "C" not null,
  kind     text collate "C" not null check (kind in ('usage', 'override')),
  minute   timestamptz not null,
  requests integer not null,
  primary key (org_id, kind)
) with (fillfactor = 50);

comment on table  public.platform_module_rate is 'What an organisation has sent in its newest minute, for the brakes.';
comment on column public.platform_module_rate.org_id is 'The organisation.';
comment on column public.platform_module_rate.kind is 'usage: events over HTTP; override: writes of overrides.';
comment on column public.platform_module_rate.minute is 'The minute that is counted.';
comment on column public.platform_module_rate.requests is 'How many there were in it.';

create table if not exists public.platform_module_usage_reject (
  id          bigint generated always as identity primary key,
  rejected_at timestamptz not null default now(),
  org_id      text collate "C" not null,
  user_id     text,
  source      text not null check (source in ('http', 'sqs')),
  reason      text not null,
  detail      text check (length(detail) <= 500),
  item        text check (length(item) <= 2000)
);

comment on table  public.platform_module_usage_reject is 'Items that were not counted, for people. The first 1,000 of each organisation, day, source and reason, for 30 days.';
comment on column public.platform_module_usage_reject.id is 'Counts up.';
comment on column public.platform_module_usage_reject.rejected_at is 'When it was refused.';
comment on column public.platform_module_usage_reject.org_id is 'Whose item it was; empty where a message does not say.';
comment on column public.platform_module_usage_reject.user_id is 'Whose item it was; null where a message does not say.';
comment on column public.platform_module_usage_reject.source is 'The way it came.';
comment on column public.platform_module_usage_reject.reason is 'Why, as a code.';
comment on column public.platform_module_usage_reject.detail is 'Why, in words; cut after 500 characters.';
comment on column public.platform_module_usage_reject.item is 'What was sent; cut after 2,000 characters.';

create table if not exists public.platform_module_usage_reject_count (
  org_id      text collate "C" not null,
  reject_date date not null,
  source      text collate "C" not null,
  reason      text collate "C" not null,
  rejects     bigint not null,
  primary key (org_id, reject_date, source, reason)
);

comment on table  public.platform_module_usage_reject_count is 'How many items were refused, those that were not kept included.';
comment on column public.platform_module_usage_reject_count.org_id is 'Whose items; empty where messages did not say.';
comment on column public.platform_module_usage_reject_count.reject_date is 'The UTC day on which they were refused.';
comment on column public.platform_module_usage_reject_count.source is 'The way they came.';
comment on column public.platform_module_usage_reject_count.reason is 'Why, as a code.';
comment on column public.platform_module_usage_reject_count.rejects is 'How many.';

create or replace function public.platform_module_usage_is_append_only() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'counted events are never changed' using errcode = 'insufficient_privilege';
end
$$;
drop trigger if exists a_stay on public.platform_module_usage;
drop function if exists public.platform_module_usage_stays();
create or replace trigger forbid_change before update or delete on public.platform_module_usage
  for each statement execute function public.platform_module_usage_is_append_only();
revoke all on function public.platform_module_usage_is_append_only() from public, anon, authenticated;
