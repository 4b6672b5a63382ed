-- Usage of modules: every event once, and what it adds up to. Days are UTC.
-- Idempotent. Who may do what is in the last part of 005, which also hands the tables and functions to module_mgmt_definer.

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

create table if not exists public.platform_module_usage_day (
  usage_date     date primary key,
  events         bigint not null,
  sealed_at      timestamptz not null default now(),
  was_repaired   boolean not null default false,
  raw_dropped_at timestamptz
);

comment on table  public.platform_module_usage_day is 'Days that are sealed: recounted from raw, and closed for events. The raw events of other days are never dropped.';
comment on column public.platform_module_usage_day.usage_date is 'The UTC day; every earlier day is sealed too.';
comment on column public.platform_module_usage_day.events is 'How many events it has.';
comment on column public.platform_module_usage_day.sealed_at is 'When it was recounted and closed.';
comment on column public.platform_module_usage_day.was_repaired is 'Whether the recount found a difference and rebuilt the day.';
comment on column public.platform_module_usage_day.raw_dropped_at is 'When raw events of the day may have been dropped; it cannot be recounted since.';

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

create or replace function module_mgmt.usage_id_at(instant timestamptz) returns uuid
language sql immutable parallel safe set search_path = '' as $$
  select (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
comment on function module_mgmt.usage_id_at(timestamptz) is 'The bound below which lie the UUIDv7 ids of all earlier instants.';

-- 128 bits of SHA-256: two keys never share a value. Ids hold no control characters, so the parts cannot be read otherwise.
create or replace function module_mgmt.usage_scope(org_id text, usage_date date, module_name text, event_type text, source text)
returns bytea language sql stable parallel safe set search_path = '' as $$
  select substr(sha256(convert_to(
    org_id || e'\x1f' || (usage_date - date '2000-01-01') || e'\x1f' || module_name || e'\x1f' || event_type || e'\x1f' || source,
    'UTF8')), 1, 16)
$$;
comment on function module_mgmt.usage_scope(text, date, text, text, text) is 'The key of a daily row as one short value.';

-- Ingestion holds the locks of its days together with others; who recounts a day holds its lock alone, and so sees every event of
-- it or none that is still being stored.
create or replace function module_mgmt.usage_day_key(day date) returns integer
language sql immutable parallel safe set search_path = '' as $$ select day - date '2000-01-01' $$;
comment on function module_mgmt.usage_day_key(date) is 'The second key of a day''s advisory lock; the first is 1297433671.';

-- Counts events. One call stores and adds up each event, or neither. An item may bring a reason not to count it, which the caller of
-- this function has found; it is then only kept among the rejects.
-- One array per column: taking a thousand events apart from JSON costs as much as storing them.
-- Answers for each item, in their order: accepted, duplicate, conflict, or the reason.
create or replace function module_mgmt.record_usage_columns(event_ids uuid[], org_ids text[], user_ids text[], module_names text[],
  event_types text[], statuses text[], occurred timestamptz[], durations integer[], hashes bytea[], actions text[],
  endpoints text[], methods text[], error_codes text[], error_messages text[], metadatas jsonb[], reasons text[],
  details text[], raw_items text[])
returns text[] language plpgsql security definer set search_path = '' as $$
declare
  -- Nobody can set a role that their login is no member of.
  is_worker constant boolean := current_setting('role') = 'module_mgmt_worker';
  via constant text := case when is_worker then 'sqs' else 'http' end;
  own_org constant text := case when not is_worker then module_mgmt.get_current_org_id() end;
  own_user constant text := case when not is_worker then module_mgmt.claims() ->> 'sub' end;
  item_count constant integer := cardinality(reasons);
  sealed_through date;
  stored_ids uuid[];
  stored_orgs text[];
  outcomes text[];
begin
  if not is_worker then
    if not module_mgmt.is_signed_in() then
      raise exception 'usage has a caller' using errcode = 'insufficient_privilege';
    end if;
    org_ids := array_fill(own_org, array[item_count]);
    user_ids := array_fill(own_user, array[item_count]);
  end if;

  perform pg_advisory_xact_lock_shared(1297433671, module_mgmt.usage_day_key(day))
  from (select distinct (occurred_at at time zone 'UTC')::date as day
        from unnest(occurred, reasons) as item (occurred_at, reason)
        where reason is null order by 1) as days;
  -- Read after the locks: whoever seals a day that is in this batch has done so by now, or waits.
  select coalesce(max(usage_date), '-infinity') into sealed_through from public.platform_module_usage_day;

  -- Everything is written in the order of its key, so that two calls with the same events wait for each other and do not deadlock.
  -- Each step takes all rows of the one before, because it sorts them.
  with stored as (
    insert into public.platform_module_usage (event_id, org_id, user_id, module_name, event_type, source, status, occurred_at,
      duration_ms, content_hash, event_action, endpoint, http_method, error_code, error_message, metadata)
    select event_id, org_id, user_id, module_name, event_type, via, status, occurred_at, duration_ms, content_hash, event_action,
      endpoint, http_method, error_code, error_message, metadata
    from unnest(event_ids, org_ids, user_ids, module_names, event_types, statuses, occurred, durations, hashes, actions, endpoints,
      methods, error_codes, error_messages, metadatas, reasons) with ordinality
      as item (event_id, org_id, user_id, module_name, event_type, status, occurred_at, duration_ms, content_hash, event_action,
        endpoint, http_method, error_code, error_message, metadata, reason, number)
    where reason is null and (occurred_at at time zone 'UTC')::date > sealed_through
    order by event_id, org_id collate "C", number
    on conflict (event_id, org_id) do nothing
    returning event_id, org_id, (occurred_at at time zone 'UTC')::date as usage_date, module_name, event_type, user_id, status,
      duration_ms,
      -- usage_scope, written out: a call for each of a thousand events would cost as much as finding their users.
      substr(sha256(convert_to(org_id || e'\x1f' || ((occurred_at at time zone 'UTC')::date - date '2000-01-01') || e'\x1f' ||
        module_name || e'\x1f' || event_type || e'\x1f' || via, 'UTF8')), 1, 16) as scope
  ), new_user as (
    insert into public.platform_module_usage_user (scope, user_id, org_id)
    select scope, user_id, org_id from stored
    -- Most are known; looking for them is cheaper than running into them.
    where not exists (select from public.platform_module_usage_user known
      where known.scope = stored.scope and known.user_id = stored.user_id and known.org_id = stored.org_id)
    group by scope, user_id, org_id order by scope, user_id, org_id
    on conflict do nothing
    returning scope
  ), added_up as (
    insert into public.platform_module_usage_daily as daily
    select min(org_id), min(usage_date), min(module_name), min(event_type), via, count(status),
      count(*) filter (where status = 'success'), count(*) filter (where status = 'failure'),
      count(*) filter (where status = 'partial'), count(*) - count(status), count(duration_ms), coalesce(sum(duration_ms), 0),
      min(duration_ms), max(duration_ms), scope
    from (select scope, org_id, usage_date, module_name, event_type, status, duration_ms from stored
          union all
          select scope, null, null, null, null, null, null from new_user) as part
    group by scope
    order by scope
    on conflict (org_id, usage_date, module_name, event_type, source) do update set
      total = daily.total + excluded.total,
      successes = daily.successes + excluded.successes,
      failures = daily.failures + excluded.failures,
      partials = daily.partials + excluded.partials,
      unique_users = daily.unique_users + excluded.unique_users,
      duration_count = daily.duration_count + excluded.duration_count,
      duration_sum = daily.duration_sum + excluded.duration_sum,
      duration_min = least(daily.duration_min, excluded.duration_min),
      duration_max = greatest(daily.duration_max, excluded.duration_max)
  )
  select array_agg(event_id), array_agg(org_id) into stored_ids, stored_orgs from stored;

  if cardinality(stored_ids) = item_count then
    return array_fill('accepted'::text, array[item_count]);
  end if;

  -- A statement of its own sees what others have committed while the first one waited for them.
  select array_agg(case
      when item.reason is not null then item.reason
      when (item.occurred_at at time zone 'UTC')::date <= sealed_through then 'too_old'
      when item.nth = 1 and mine.event_id is not null then 'accepted'
      when raw.content_hash = item.content_hash then 'duplicate'
      else 'conflict'
    end order by item.number)
  into outcomes
  from (select number, event_id, org_id collate "C" as org_id, occurred_at, content_hash, reason,
          row_number() over (partition by event_id, org_id, reason is null order by number) as nth
        from unnest(event_ids, org_ids, occurred, hashes, reasons) with ordinality
          as item (event_id, org_id, occurred_at, content_hash, reason, number)) as item
  left join unnest(stored_ids, stored_orgs) as mine (event_id, org_id)
    on mine.event_id = item.event_id and mine.org_id collate "C" = item.org_id
  left join public.platform_module_usage raw
    on item.reason is null and raw.event_id = item.event_id and raw.org_id = item.org_id;

  perform module_mgmt.keep_usage_rejects(org_ids, user_ids, outcomes, via, details, raw_items)
  where exists (select from unnest(outcomes) outcome where outcome not in ('accepted', 'duplicate', 'conflict'));
  return outcomes;
end
$$;
comment on function module_mgmt.record_usage_columns(uuid[], text[], text[], text[], text[], text[], timestamptz[], integer[],
  bytea[], text[], text[], text[], text[], text[], jsonb[], text[], text[], text[]) is
  'Stores events and adds them up, each once. A request counts for its caller; the worker''s items say for whom.';

create or replace function module_mgmt.record_usage(items jsonb) returns text[]
language sql security definer set search_path = '' as $$
  select module_mgmt.record_usage_columns(array_agg(event_id order by number), array_agg(org_id order by number),
    array_agg(user_id order by number), array_agg(module_name order by number), array_agg(event_type order by number),
    array_agg(status order by number), array_agg(occurred_at order by number), array_agg(duration_ms order by number),
    array_agg(content_hash order by number), array_agg(event_action order by number), array_agg(endpoint order by number),
    array_agg(http_method order by number), array_agg(error_code order by number), array_agg(error_message order by number),
    array_agg(metadata order by number), array_agg(reason order by number), array_agg(detail order by number),
    array_agg(item order by number))
  from rows from (jsonb_to_recordset(items) as (event_id uuid, org_id text, user_id text, module_name text, event_type text,
    status text, occurred_at timestamptz, duration_ms integer, content_hash bytea, event_action text, endpoint text,
    http_method text, error_code text, error_message text, metadata jsonb, reason text, detail text, item text))
    with ordinality as row (event_id, org_id, user_id, module_name, event_type, status, occurred_at, duration_ms, content_hash,
      event_action, endpoint, http_method, error_code, error_message, metadata, reason, detail, item, number)
$$;
comment on function module_mgmt.record_usage(jsonb) is
  'record_usage_columns for items as one JSON array of objects with the columns'' names.';

-- Counters first, in the order of their keys; of each, the first thousand items of a day are kept.
create or replace function module_mgmt.keep_usage_rejects(org_ids text[], user_ids text[], outcomes text[], via text,
  details text[], raw_items text[])
returns void language sql security definer set search_path = '' as $$
  with refused as (
    select coalesce(org_id, '') collate "C" as org_id, user_id, outcome collate "C" as reason, detail, item, number,
      row_number() over (partition by coalesce(org_id, ''), outcome order by number) as nth
    from unnest(org_ids, user_ids, outcomes, details, raw_items) with ordinality
      as refused (org_id, user_id, outcome, detail, item, number)
    where outcome not in ('accepted', 'duplicate', 'conflict')
  ), counted as (
    insert into public.platform_module_usage_reject_count as counter
    select org_id, (now() at time zone 'UTC')::date, via, reason, count(*) from refused
    group by org_id, reason order by org_id, reason
    on conflict (org_id, reject_date, source, reason) do update set rejects = counter.rejects + excluded.rejects
    returning org_id, reason, rejects
  )
  insert into public.platform_module_usage_reject (org_id, user_id, source, reason, detail, item)
  select refused.org_id, left(refused.user_id, 200), via, refused.reason, left(refused.detail, 500), left(refused.item, 2000)
  from refused
  join (select counted.org_id, counted.reason, counted.rejects - max(refused.nth) as before
        from counted join refused using (org_id, reason) group by counted.org_id, counted.reason, counted.rejects) as counter
    using (org_id, reason)
  where counter.before + refused.nth <= 1000
  order by refused.number
$$;
comment on function module_mgmt.keep_usage_rejects(text[], text[], text[], text, text[], text[]) is
  'Counts items that were refused and keeps the first of them; part of record_usage_columns.';

-- What the decision about modules needs to know, for the organisations of a batch. Deleted modules stay: what happened before they
-- were disabled still counts.
create or replace function module_mgmt.usage_states(orgs text[])
returns table (name text, is_enabled boolean, is_installed boolean, is_deleted boolean, disabled_at timestamptz,
  dependencies text[], off_for jsonb)
language sql stable security definer set search_path = '' as $$
  select module.module_name, module.is_enabled, module.is_installed, module.deleted_at is not null, module.disabled_at,
    module.dependencies,
    (select coalesce(jsonb_object_agg(override.org_id, override.updated_at), '{}')
     from public.platform_module_override override
     where override.module_name = module.module_name and not override.is_enabled
       and override.org_id = any (case when current_setting('role') = 'module_mgmt_worker' then orgs
                                       else array[module_mgmt.get_current_org_id()] end))
  from public.platform_module_registry module order by module.module_name
$$;
comment on function module_mgmt.usage_states(text[]) is
  'Every module with what switches it off, and since when for which of the organisations; a request learns about its own only.';

-- What the raw events of a day add up to.
create or replace function module_mgmt.recount_usage(day date)
returns table (org_id text, module_name text, event_type text, source text, total bigint, successes bigint, failures bigint,
  partials bigint, unique_users bigint, duration_count bigint, duration_sum bigint, duration_min integer, duration_max integer)
language sql stable security definer set search_path = '' as $$
  select org_id, module_name, event_type, source, count(*), count(*) filter (where status = 'success'),
    count(*) filter (where status = 'failure'), count(*) filter (where status = 'partial'), count(distinct user_id),
    count(duration_ms), coalesce(sum(duration_ms), 0), min(duration_ms), max(duration_ms)
  from public.platform_module_usage
  where occurred_at >= day::timestamp at time zone 'UTC' and occurred_at < (day + 1)::timestamp at time zone 'UTC'
  group by org_id, module_name, event_type, source
$$;
comment on function module_mgmt.recount_usage(date) is 'The daily rows of a UTC day as the raw events have them.';

create or replace function module_mgmt.verify_usage(day date)
returns table (org_id text, module_name text, event_type text, source text, counted jsonb, daily jsonb)
language plpgsql stable security definer set search_path = '' as $$
begin
  if exists (select from public.platform_module_usage_day sealed where sealed.usage_date = day and sealed.raw_dropped_at is not null) then
    raise exception 'the raw events of % are dropped', day using errcode = 'no_data_found';
  end if;
  return query
  with counted as (
    select recount.org_id, recount.module_name, recount.event_type, recount.source, to_jsonb(recount) as row
    from module_mgmt.recount_usage(day) recount
  ), listed as (
    select kept.org_id, kept.module_name, kept.event_type, kept.source, to_jsonb(kept) - 'usage_date' - 'scope' as row
    from public.platform_module_usage_daily kept where kept.usage_date = day
  ), users as (
    select kept.org_id, kept.module_name, kept.event_type, kept.source,
      (select count(*) from public.platform_module_usage_user seen where seen.scope = kept.scope) as users
    from public.platform_module_usage_daily kept where kept.usage_date = day
  )
  select key.org_id::text, key.module_name::text, key.event_type::text, key.source::text, counted.row - keys.names,
    listed.row - keys.names || case when users.users is distinct from (listed.row ->> 'unique_users')::bigint
      then jsonb_build_object('listed_users', coalesce(users.users, 0)) else '{}' end
  from (select counted.org_id collate "C" as org_id, counted.module_name collate "C" as module_name,
          counted.event_type collate "C" as event_type, counted.source collate "C" as source from counted
        union select listed.org_id, listed.module_name, listed.event_type, listed.source from listed) as key
  cross join (select array['org_id', 'module_name', 'event_type', 'source'] as names) as keys
  left join counted on (counted.org_id, counted.module_name, counted.event_type, counted.source)
    = (key.org_id, key.module_name, key.event_type, key.source)
  left join listed on (listed.org_id, listed.module_name, listed.event_type, listed.source)
    = (key.org_id, key.module_name, key.event_type, key.source)
  left join users on (users.org_id, users.module_name, users.event_type, users.source)
    = (key.org_id, key.module_name, key.event_type, key.source)
  where counted.row is distinct from listed.row or users.users is distinct from (listed.row ->> 'unique_users')::bigint
  order by 1, 2, 3, 4;
end
$$;
comment on function module_mgmt.verify_usage(date) is
  'The rows of a day that differ from what the raw events add up to; null where one side has no such row.';

create or replace function module_mgmt.rebuild_usage(day date) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  events bigint;
begin
  perform pg_advisory_xact_lock(1297433671, module_mgmt.usage_day_key(day));
  if exists (select from public.platform_module_usage_day where usage_date = day and raw_dropped_at is not null) then
    raise exception 'the raw events of % are dropped', day using errcode = 'no_data_found';
  end if;
  delete from public.platform_module_usage_user seen using public.platform_module_usage_daily daily
  where daily.usage_date = day and seen.scope = daily.scope;
  delete from public.platform_module_usage_daily where usage_date = day;
  insert into public.platform_module_usage_user (scope, user_id, org_id)
  select distinct module_mgmt.usage_scope(org_id, day, module_name, event_type, source), user_id, org_id
  from public.platform_module_usage
  where occurred_at >= day::timestamp at time zone 'UTC' and occurred_at < (day + 1)::timestamp at time zone 'UTC';
  insert into public.platform_module_usage_daily
  select org_id, day, module_name, event_type, source, total, successes, failures, partials, unique_users, duration_count,
    duration_sum, duration_min, duration_max, module_mgmt.usage_scope(org_id, day, module_name, event_type, source)
  from module_mgmt.recount_usage(day);
  select coalesce(sum(total), 0) into events from public.platform_module_usage_daily where usage_date = day;
  return events;
end
$$;
comment on function module_mgmt.rebuild_usage(date) is
  'Makes the rows of a day anew from the raw events; events of that day wait meanwhile. Answers how many there are.';

-- Sealing is in the order of the days, so that the last one tells about all.
create or replace function module_mgmt.seal_usage(last_open_days integer) returns table (day date, was_repaired boolean)
language plpgsql security definer set search_path = '' as $$
begin
  select coalesce((select max(usage_date) + 1 from public.platform_module_usage_day),
                  (select min(usage_date) from public.platform_module_usage_daily),
                  (select min((occurred_at at time zone 'UTC')::date) from public.platform_module_usage)) into day;
  if day is null or day >= (now() at time zone 'UTC')::date - last_open_days then
    return;
  end if;
  perform pg_advisory_xact_lock(1297433671, module_mgmt.usage_day_key(day));
  was_repaired := exists (select from module_mgmt.verify_usage(day));
  if was_repaired then
    perform module_mgmt.rebuild_usage(day);
  end if;
  insert into public.platform_module_usage_day (usage_date, events, was_repaired)
  select day, coalesce(sum(total), 0), seal_usage.was_repaired from public.platform_module_usage_daily where usage_date = day;
  return next;
end
$$;
comment on function module_mgmt.seal_usage(integer) is
  'Recounts and closes the next day that is older than the days given; no row when there is none.';

-- Partitions are calendar months of the ids' time, in a schema of their own. An id whose month has none goes into the default one,
-- so that nothing is lost when this has not run for long; the month takes its rows over when it is made.
create or replace function module_mgmt.make_usage_partitions(months_ahead integer) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  month date;
  name text;
  low uuid;
  high uuid;
  made integer := 0;
begin
  -- One at a time.
  perform pg_advisory_xact_lock(1297433671, -1);
  for month in
    select generate_series(date_trunc('month', now() at time zone 'UTC' - interval '35 days'),
      date_trunc('month', now() at time zone 'UTC') + make_interval(months => months_ahead), interval '1 month')::date
  loop
    name := 'usage_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('module_mgmt_usage.' || name) is not null;
    low := module_mgmt.usage_id_at(month::timestamp at time zone 'UTC');
    high := module_mgmt.usage_id_at((month + interval '1 month') at time zone 'UTC');
    execute format('create table module_mgmt_usage.%I (like public.platform_module_usage including defaults including constraints)', name);
    execute format('alter table module_mgmt_usage.%I enable row level security, force row level security', name);
    if exists (select from public.platform_module_usage where event_id >= low and event_id < high) then
      -- Nobody may add to the default partition between the move and the attach. Its policy lets the definer at the rows.
      lock table module_mgmt_usage.usage_other in access exclusive mode;
      execute format('create policy "The definer moves events" on module_mgmt_usage.%I to module_mgmt_definer using (true) with check (true)', name);
      execute format('with moved as (delete from module_mgmt_usage.usage_other where event_id >= %L and event_id < %L returning *)
        insert into module_mgmt_usage.%I select * from moved', low, high, name);
      execute format('drop policy "The definer moves events" on module_mgmt_usage.%I', name);
    end if;
    execute format('alter table public.platform_module_usage attach partition module_mgmt_usage.%I for values from (%L) to (%L)',
      name, low, high);
    execute format('comment on table module_mgmt_usage.%I is %L', name, 'Events whose ids were made in ' || to_char(month, 'YYYY-MM') || '.');
    made := made + 1;
  end loop;
  return made;
end
$$;
comment on function module_mgmt.make_usage_partitions(integer) is
  'Makes the partitions from five weeks ago to some months ahead that are missing; answers how many.';

-- The oldest partition, if its month is past the retention and all days of its events are sealed.
create or replace function module_mgmt.drop_usage_partition(retention_months integer) returns text
language plpgsql security definer set search_path = '' as $$
declare
  oldest text;
  last_day date;
begin
  perform pg_advisory_xact_lock(1297433671, -1);
  select relname into oldest from pg_catalog.pg_class
  where relnamespace = 'module_mgmt_usage'::regnamespace and relkind = 'r' and relname ~ '^usage_[0-9]{4}_[0-9]{2}$'
  order by relname limit 1;
  if oldest is null
     or to_date(substr(oldest, 7), 'YYYY_MM') + interval '1 month' + make_interval(months => retention_months)
        > now() at time zone 'UTC' then
    return null;
  end if;
  select (max(occurred_at) at time zone 'UTC')::date into last_day from public.platform_module_usage
  where event_id < module_mgmt.usage_id_at((to_date(substr(oldest, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC');
  if last_day > (select coalesce(max(usage_date), '-infinity') from public.platform_module_usage_day) then
    return null;
  end if;
  update public.platform_module_usage_day set raw_dropped_at = now() where usage_date <= last_day and raw_dropped_at is null;
  execute format('drop table module_mgmt_usage.%I', oldest);
  return oldest;
end
$$;
comment on function module_mgmt.drop_usage_partition(integer) is
  'Drops the oldest partition if it is older than the retention and its days are sealed; answers its name, or null.';

create or replace function module_mgmt.prune_usage_rejects(days integer) returns bigint
language sql security definer set search_path = '' as $$
  with pruned as (
    delete from public.platform_module_usage_reject where rejected_at < now() - make_interval(days => days) returning 1
  ), forgotten as (
    delete from public.platform_module_usage_reject_count where reject_date < now() - interval '13 months'
  )
  select count(*) from pruned
$$;
comment on function module_mgmt.prune_usage_rejects(integer) is
  'Forgets refused items older than the days given, and counts older than 13 months; answers how many items.';

create or replace function public.platform_module_usage_stays() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'counted events are never changed' using errcode = 'insufficient_privilege';
end
$$;
create or replace trigger a_stay before update or delete or truncate on public.platform_module_usage
  for each statement execute function public.platform_module_usage_stays();
