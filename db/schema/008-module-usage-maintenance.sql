-- Keeping usage in shape: days are recounted, rebuilt and sealed; partitions made ahead and dropped when nothing needs them.
-- Idempotent. Its functions belong to module_mgmt_definer, whom the policies of 006 let write.

-- What the raw events of a day add up to.
create or replace function module_mgmt.recount_usage(day date)
returns table (org_id text, module_name text, event_type text, source text, total bigint, successes bigint, failures bigint,
  partials bigint, unique_users bigint, duration_count bigint, duration_sum bigint, duration_min integer, duration_max integer)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
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
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from public.platform_module_usage_sealed_day sealed where sealed.usage_date = day and sealed.raw_dropped_at is not null) then
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
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  events bigint;
begin
  perform module_mgmt.lock_usage_day(day);
  if exists (select from public.platform_module_usage_sealed_day where usage_date = day and raw_dropped_at is not null) then
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
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  select coalesce((select max(usage_date) + 1 from public.platform_module_usage_sealed_day),
                  (select min(usage_date) from public.platform_module_usage_daily),
                  (select min((occurred_at at time zone 'UTC')::date) from public.platform_module_usage)) into day;
  if day is null or day >= (now() at time zone 'UTC')::date - last_open_days then
    return;
  end if;
  perform module_mgmt.lock_usage_day(day);
  was_repaired := exists (select from module_mgmt.verify_usage(day));
  if was_repaired then
    perform module_mgmt.rebuild_usage(day);
  end if;
  insert into public.platform_module_usage_sealed_day (usage_date, events, was_repaired)
  select day, coalesce(sum(total), 0), seal_usage.was_repaired from public.platform_module_usage_daily where usage_date = day;
  return next;
end
$$;
comment on function module_mgmt.seal_usage(integer) is
  'Recounts and closes the next day that is older than the days given; no row when there is none.';

create or replace function module_mgmt.usage_id_at(instant timestamptz) returns uuid
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select (lpad(to_hex((extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
comment on function module_mgmt.usage_id_at(timestamptz) is 'The bound below which lie the UUIDv7 ids of all earlier instants.';

-- Events queue behind whoever waits for a table, so these two give up after a second; the next day's run tries again.
-- Partitions are calendar months of the ids' time, in a schema of their own. An id whose month has none goes into the default one,
-- so that nothing is lost when this has not run for long; the month takes its rows over when it is made.
create or replace function module_mgmt.make_usage_partitions(months_ahead integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
  month date;
  name text;
  low uuid;
  high uuid;
  made integer := 0;
begin
  -- One at a time. Counting and reading go on.
  lock table public.platform_module_usage in share update exclusive mode;
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
    execute format('create trigger forbid_truncate before truncate on module_mgmt_usage.%I
      for each statement execute function module_mgmt.forbid_truncate()', name);
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
  -- So that the first events of a day need not make them.
  perform module_mgmt.make_day_rows((now() at time zone 'UTC')::date - 36, (now() at time zone 'UTC')::date + 3);
  delete from public.platform_module_usage_day_lock where usage_date < (now() at time zone 'UTC')::date - 400;
  return made;
end
$$;
comment on function module_mgmt.make_usage_partitions(integer) is
  'Makes the partitions from five weeks ago to some months ahead that are missing; answers how many.';

-- The oldest partition, if its month is past the retention and all days of its events are sealed.
create or replace function module_mgmt.drop_usage_partition(retention_months integer) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '1s' as $$
declare
  oldest text;
  last_day date;
begin
  lock table public.platform_module_usage in share update exclusive mode;
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
  if last_day > (select coalesce(max(usage_date), '-infinity') from public.platform_module_usage_sealed_day) then
    return null;
  end if;
  update public.platform_module_usage_sealed_day set raw_dropped_at = now() where usage_date <= last_day and raw_dropped_at is null;
  execute format('drop table module_mgmt_usage.%I', oldest);
  return oldest;
end
$$;
comment on function module_mgmt.drop_usage_partition(integer) is
  'Drops the oldest partition if it is older than the retention and its days are sealed; answers its name, or null.';

create or replace function module_mgmt.prune_usage_rejects(days integer) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with pruned as (
    delete from public.platform_module_usage_reject where rejected_at < now() - make_interval(days => days) returning 1
  ), braked as (
    delete from public.platform_module_rate where minute < now() - interval '1 day'
  ), forgotten as (
    delete from public.platform_module_usage_reject_count where reject_date < now() - interval '13 months'
  )
  select count(*) from pruned
$$;
comment on function module_mgmt.prune_usage_rejects(integer) is
  'Forgets refused items older than the days given, and counts older than 13 months; answers how many items.';

do $$
begin
  perform module_mgmt.hand_to_definer('recount_usage', 'verify_usage', 'rebuild_usage', 'seal_usage',
    'make_usage_partitions', 'drop_usage_partition', 'prune_usage_rejects');
end
$$;

revoke all on function module_mgmt.usage_id_at(timestamptz), module_mgmt.recount_usage(date), module_mgmt.verify_usage(date),
  module_mgmt.rebuild_usage(date), module_mgmt.seal_usage(integer), module_mgmt.make_usage_partitions(integer),
  module_mgmt.drop_usage_partition(integer), module_mgmt.prune_usage_rejects(integer) from public;
grant execute on function module_mgmt.usage_id_at(timestamptz) to module_mgmt_definer;
grant execute on function module_mgmt.verify_usage(date), module_mgmt.rebuild_usage(date), module_mgmt.seal_usage(integer),
  module_mgmt.make_usage_partitions(integer), module_mgmt.drop_usage_partition(integer),
  module_mgmt.prune_usage_rejects(integer) to module_mgmt_worker;

-- The months that are needed now; the daily run makes the later ones.
do $$ begin perform module_mgmt.make_usage_partitions(3); end $$;
