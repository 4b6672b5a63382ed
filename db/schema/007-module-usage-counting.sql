-- Counting usage: what record_usage does, and who may call it.
-- Idempotent. Its functions belong to module_mgmt_definer, whom the policies of 006 let write.

-- 128 bits of SHA-256: two keys never share a value. Ids hold no control characters, so the parts cannot be read otherwise.
create or replace function module_mgmt.usage_scope(org_id text, usage_date date, module_name text, event_type text, source text)
returns bytea language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select substr(sha256(convert_to(
    org_id || e'\x1f' || (usage_date - date '2000-01-01') || e'\x1f' || module_name || e'\x1f' || event_type || e'\x1f' || source,
    'UTF8')), 1, 16)
$$;
comment on function module_mgmt.usage_scope(text, date, text, text, text) is 'The key of a daily row as one short value.';

-- As databases had it that locked days by advisory locks, which anybody could take.
drop function if exists module_mgmt.usage_day_key(date);

create or replace function module_mgmt.make_day_rows(first_day date, last_day date) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into public.platform_module_usage_day_lock
  select first_day + days, slot from generate_series(0, last_day - first_day) days, generate_series(0, 31) slot on conflict do nothing
$$;
comment on function module_mgmt.make_day_rows(date, date) is 'Makes the rows of days that are missing, from which counting holds one.';

-- Ingestion holds one of a day's rows; who recounts a day holds all of them, and so sees every event of it or none that is still being
-- stored.
create or replace function module_mgmt.wait_for_usage_day(day date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform module_mgmt.make_day_rows(day, day);
  perform from public.platform_module_usage_day_lock
  where usage_date = day and slot = floor(random() * 32)::smallint for update;
end
$$;
comment on function module_mgmt.wait_for_usage_day(date) is
  'Holds one row of a day where none was free or there are none yet; part of record_usage_columns.';

create or replace function module_mgmt.lock_usage_day(day date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform module_mgmt.make_day_rows(day, day);
  perform from public.platform_module_usage_day_lock where usage_date = day order by slot for update;
end
$$;
comment on function module_mgmt.lock_usage_day(date) is 'Waits until nobody counts events of a day, and lets nobody do so until the end.';

-- The brakes: what one organisation may send in a minute. It is looked at before anything is done, and counted at last, so that nobody
-- waits for the row while others store. So some more than the limit may pass that began at the same moment.
create or replace function module_mgmt.brake(of_kind text, most integer) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from public.platform_module_rate
      where org_id = module_mgmt.get_current_org_id() and kind = of_kind and minute = date_trunc('minute', now()) and requests >= most) then
    raise exception 'more than % in this minute', most
      using errcode = 'MM429', detail = ceil(60 - extract(second from clock_timestamp()))::text;
  end if;
end
$$;
comment on function module_mgmt.brake(text, integer) is
  'Raises MM429 where the caller''s organisation has sent so many in this minute; the detail says in how many seconds the next one begins.';

create or replace function module_mgmt.count_rate(of_kind text, more integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into public.platform_module_rate as rate (org_id, kind, minute, requests)
  select org_id, of_kind, date_trunc('minute', now()), greatest(more, 1)
  from module_mgmt.get_current_org_id() org_id where org_id is not null
  on conflict (org_id, kind) do update set minute = excluded.minute,
    requests = case when rate.minute = excluded.minute then rate.requests else 0 end + excluded.requests
$$;
comment on function module_mgmt.count_rate(text, integer) is 'Adds to what the caller''s organisation has sent in this minute.';

-- As databases had it before there were brakes.
drop function if exists module_mgmt.record_usage_columns(uuid[], text[], text[], text[], text[], text[], timestamptz[], integer[], bytea[],
  text[], text[], text[], text[], text[], jsonb[], text[], text[], text[]);

-- Counts events. One call stores and adds up each event, or neither. An item may bring a reason not to count it, which the caller of
-- this function has found; it is then only kept among the rejects.
-- One array per column: taking a thousand events apart from JSON costs as much as storing them.
-- Answers for each item, in their order: accepted, duplicate, conflict, or the reason.
create or replace function module_mgmt.record_usage_columns(event_ids uuid[], org_ids text[], user_ids text[], module_names text[],
  event_types text[], statuses text[], occurred timestamptz[], durations integer[], hashes bytea[], actions text[],
  endpoints text[], methods text[], error_codes text[], error_messages text[], metadatas jsonb[], reasons text[],
  details text[], raw_items text[], most_per_minute integer default null)
returns text[] language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- Nobody can set a role that their login is no member of.
  is_worker constant boolean := current_setting('role') = 'module_mgmt_worker';
  via constant text := case when is_worker then 'sqs' else 'http' end;
  own_org constant text := case when not is_worker then module_mgmt.get_current_org_id() end;
  own_user constant text := case when not is_worker then module_mgmt.claims() ->> 'sub' end;
  item_count constant integer := cardinality(reasons);
  unheld date;
  open_from timestamptz;
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
    if most_per_minute is not null then
      perform module_mgmt.brake('usage', most_per_minute);
    end if;
  end if;

  -- In the order of the days. A free row of each; where there is none, somebody recounts the day, or 32 count.
  for unheld in
    select day from (
      select day, (select held.slot from public.platform_module_usage_day_lock held where held.usage_date = day
                   limit 1 for update skip locked) as slot
      from (select distinct (occurred[n] at time zone 'UTC')::date as day
            from generate_series(1, item_count) n where reasons[n] is null order by 1) as days
      offset 0) as tried
    where slot is null
  loop
    perform module_mgmt.wait_for_usage_day(unheld);
  end loop;
  -- Read after the locks: whoever seals a day that is in this batch has done so by now, or waits.
  select coalesce((max(usage_date) + 1)::timestamp at time zone 'UTC', '-infinity') into open_from
  from public.platform_module_usage_sealed_day;

  -- Everything is written in the order of its key, so that two calls with the same events wait for each other and do not deadlock.
  -- Each step takes all rows of the one before, because it sorts them. Numbers are sorted and the arrays read by them, which is
  -- quicker than sorting the rows of sixteen unnested arrays.
  with stored as (
    insert into public.platform_module_usage (event_id, org_id, user_id, module_name, event_type, source, status, occurred_at,
      duration_ms, content_hash, event_action, endpoint, http_method, error_code, error_message, metadata)
    select event_ids[n], org_ids[n], user_ids[n], module_names[n], event_types[n], via, statuses[n], occurred[n], durations[n],
      hashes[n], actions[n], endpoints[n], methods[n], error_codes[n], error_messages[n], metadatas[n]
    from (select n from generate_series(1, item_count) n
          where reasons[n] is null and occurred[n] >= open_from
          order by event_ids[n], org_ids[n] collate "C", n) as item
    on conflict (event_id, org_id) do nothing
    returning event_id, org_id, occurred_at, module_name, event_type, user_id, status, duration_ms,
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
    select min(org_id), (min(occurred_at) at time zone 'UTC')::date, min(module_name), min(event_type), via, count(status),
      count(*) filter (where status = 'success'), count(*) filter (where status = 'failure'),
      count(*) filter (where status = 'partial'), count(*) - count(status), count(duration_ms), coalesce(sum(duration_ms), 0),
      min(duration_ms), max(duration_ms), scope
    from (select scope, org_id, occurred_at, module_name, event_type, status, duration_ms from stored
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

  if most_per_minute is not null and not is_worker then
    perform module_mgmt.count_rate('usage', item_count);
  end if;

  if cardinality(stored_ids) = item_count then
    return array_fill('accepted'::text, array[item_count]);
  end if;

  -- A statement of its own sees what others have committed while the first one waited for them.
  select array_agg(case
      when item.reason is not null then item.reason
      when item.occurred_at < open_from then 'too_old'
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
  bytea[], text[], text[], text[], text[], text[], jsonb[], text[], text[], text[], integer) is
  'Stores events and adds them up, each once. A request counts for its caller; the worker''s items say for whom.';

create or replace function module_mgmt.record_usage(items jsonb) returns text[]
language sql security definer set search_path = pg_catalog, pg_temp as $$
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
returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
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
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
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

do $$
begin
  perform module_mgmt.hand_to_definer('brake', 'count_rate', 'make_day_rows', 'wait_for_usage_day', 'lock_usage_day', 'record_usage', 'record_usage_columns', 'keep_usage_rejects', 'usage_states');
end
$$;

grant execute on function module_mgmt.is_signed_in() to module_mgmt_definer;
revoke all on function module_mgmt.make_day_rows(date, date), module_mgmt.brake(text, integer), module_mgmt.count_rate(text, integer), module_mgmt.wait_for_usage_day(date), module_mgmt.lock_usage_day(date),
  module_mgmt.usage_scope(text, date, text, text, text),
  module_mgmt.record_usage(jsonb), module_mgmt.record_usage_columns(uuid[], text[], text[], text[], text[], text[],
    timestamptz[], integer[], bytea[], text[], text[], text[], text[], text[], jsonb[], text[], text[], text[], integer),
  module_mgmt.keep_usage_rejects(text[], text[], text[], text, text[], text[]), module_mgmt.usage_states(text[]) from public;
grant execute on function module_mgmt.usage_scope(text, date, text, text, text)
  to module_mgmt_definer;
grant execute on function module_mgmt.record_usage(jsonb), module_mgmt.record_usage_columns(uuid[], text[], text[], text[], text[],
    text[], timestamptz[], integer[], bytea[], text[], text[], text[], text[], text[], jsonb[], text[], text[], text[], integer),
  module_mgmt.usage_states(text[])
  to module_mgmt_request, module_mgmt_worker;
grant execute on function module_mgmt.brake(text, integer), module_mgmt.count_rate(text, integer) to module_mgmt_request;
