-- Roles, the read door, and row-level security of the tables of 001.
-- Idempotent: policies are dropped and made again, in one transaction.

-- Roles belong to the whole server: what is already as wanted is not touched, so that the databases of two environments can be
-- migrated at the same time, and by an owner who did not make the roles.
do $$
declare
  wanted record;
begin
  if not exists (select from pg_roles where rolname = 'authenticated')
     or not exists (select from pg_roles where rolname = 'anon') then
    raise exception 'the roles anon and authenticated are missing: on plain Postgres run mgmt migrate --bootstrap-roles';
  end if;

  -- What a person triggers runs as _request, background work as _worker. Neither can log in. The two logins own no right of
  -- their own: each may only become its role. mgmt migrate sets their passwords.
  for wanted in
    select * from (values
      ('module_mgmt_request', 'nologin'), ('module_mgmt_worker', 'nologin'),
      ('module_mgmt_request_login', 'login'), ('module_mgmt_worker_login', 'login')) as role (name, kind)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s noinherit', wanted.name, wanted.kind);
    end if;
  end loop;
  if not pg_has_role('module_mgmt_request_login', 'module_mgmt_request', 'member') then
    grant module_mgmt_request to module_mgmt_request_login;
  end if;
  if not pg_has_role('module_mgmt_worker_login', 'module_mgmt_worker', 'member') then
    grant module_mgmt_worker to module_mgmt_worker_login;
  end if;

  -- SET ROLE does not apply a role's settings, so the limits hang on the logins.
  for wanted in
    select * from (values
      ('module_mgmt_request_login', 'statement_timeout', '4s'),
      ('module_mgmt_request_login', 'lock_timeout', '2s'),
      ('module_mgmt_request_login', 'idle_in_transaction_session_timeout', '10s'),
      ('module_mgmt_worker_login', 'statement_timeout', '15s'),
      ('module_mgmt_worker_login', 'lock_timeout', '5s'),
      ('module_mgmt_worker_login', 'idle_in_transaction_session_timeout', '30s')) as setting (login, name, value)
  loop
    if not exists (
      select from pg_db_role_setting existing
      where existing.setrole = wanted.login::regrole and existing.setdatabase = 0
        and format('%s=%s', wanted.name, wanted.value) = any (existing.setconfig)
    ) then
      execute format('alter role %I set %I = %L', wanted.login, wanted.name, wanted.value);
    end if;
  end loop;
end
$$;

-- Our helpers live in a schema of their own: a platform may have functions of the same names in public.
create schema if not exists module_mgmt;
comment on schema module_mgmt is 'Helpers of module-mgmt: who asks, and the door for reads.';
revoke all on schema module_mgmt from public;
grant usage on schema module_mgmt
  to authenticated, module_mgmt_request, module_mgmt_worker, module_mgmt_request_login, module_mgmt_worker_login;
grant usage on schema public to module_mgmt_request, module_mgmt_worker;

-- pg_temp comes last on every path of ours. Where a path does not name it, it comes first for tables and types, and a caller's own
-- domain "text" would run its check with our rights.
-- After a transaction that set them, the claims read as '' and not as null. Whoever is signed in as nobody has none.
create or replace function module_mgmt.claims() returns jsonb
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select sent from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as sent) as claims
  where coalesce(sent ->> 'is_anonymous', '') <> 'true' and coalesce(sent ->> 'role', '') not in ('anon', 'service_role')
$$;
comment on function module_mgmt.claims() is 'The claims of the request, or null; those of anonymous sign-ins and of API keys count as none.';

create or replace function module_mgmt.get_current_org_id() returns text
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select case when jsonb_typeof(module_mgmt.claims() -> 'org_id') = 'string' then nullif(module_mgmt.claims() ->> 'org_id', '') end
$$;
comment on function module_mgmt.get_current_org_id() is 'The organisation for which the caller acts, or null.';

-- ->> prints true and "true" alike, and prints an array or object as something else: only flat scalars grant.
create or replace function module_mgmt.is_platform_admin() returns boolean
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select coalesce(module_mgmt.claims() ->> 'is_platform_admin' = 'true', false)
$$;
comment on function module_mgmt.is_platform_admin() is 'Whether the caller administers the platform.';

create or replace function module_mgmt.is_org_admin() returns boolean
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select coalesce(module_mgmt.claims() ->> 'is_org_admin' = 'true', false)
$$;
comment on function module_mgmt.is_org_admin() is 'Whether the caller administers the organisation for which it acts.';

-- The door for reads: role, claims and statement in one message, so that an authorised read is one round trip.
-- EXECUTE plans the statement after the role is set; a CTE that sets the role would be planned before it.
create or replace function module_mgmt.read_as(role_name text, claims text, statement text, parameters text[])
returns setof text language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('role', role_name, true),
          set_config('request.jwt.claims', claims, true),
          set_config('transaction_read_only', 'on', true);
  return query execute 'select row_to_json(answer)::text from (' || statement || ') as answer' using parameters;
end
$$;
comment on function module_mgmt.read_as(text, text, text, text[]) is
  'Runs one SELECT as the role and with the claims given, read-only; each row as JSON text. Parameters are ($1)[n].';

-- The same for lists: it stops after so many rows or bytes, at least one row, and then says by a last null that there are more. So nobody
-- holds more of a list in memory than an answer can carry.
create or replace function module_mgmt.read_page_as(role_name text, claims text, statement text, parameters text[], most_rows integer,
  most_bytes integer)
returns setof text language plpgsql security invoker set search_path = pg_catalog, pg_temp as $$
declare
  answer text;
  row_count integer := 0;
  byte_count bigint := 0;
begin
  perform set_config('role', role_name, true),
          set_config('request.jwt.claims', claims, true),
          set_config('transaction_read_only', 'on', true);
  for answer in execute 'select row_to_json(answer)::text from (' || statement || ') as answer' using parameters loop
    row_count := row_count + 1;
    byte_count := byte_count + octet_length(answer);
    if row_count > most_rows or (row_count > 1 and byte_count > most_bytes) then
      return next null;
      return;
    end if;
    return next answer;
  end loop;
end
$$;
comment on function module_mgmt.read_page_as(text, text, text, text[], integer, integer) is
  'read_as for the first rows of a list; a null at the end says that there are more.';

revoke all on all functions in schema module_mgmt from public;
grant execute on function module_mgmt.claims(), module_mgmt.get_current_org_id(), module_mgmt.is_platform_admin(),
  module_mgmt.is_org_admin() to authenticated, module_mgmt_request, module_mgmt_worker;
grant execute on function module_mgmt.read_as(text, text, text, text[]),
  module_mgmt.read_page_as(text, text, text, text[], integer, integer)
  to module_mgmt_request_login, module_mgmt_worker_login;

-- A trigger runs its function whoever may execute it; nobody needs to call it.
revoke all on function public.platform_lambda_config_count_change() from public, anon, authenticated;

-- Supabase grants everything, TRUNCATE too, on new tables by default.
revoke all on public.platform_lambda_config, public.platform_rule_sync, public.platform_warming_run,
  public.platform_warming_target from public, anon, authenticated, module_mgmt_request, module_mgmt_worker;

grant select on public.platform_lambda_config to authenticated;
grant select, insert, update, delete on public.platform_lambda_config to module_mgmt_request;
grant select on public.platform_lambda_config to module_mgmt_worker;
grant select, insert, update on public.platform_rule_sync to module_mgmt_request, module_mgmt_worker;
grant select on public.platform_warming_run, public.platform_warming_target to module_mgmt_request;
grant select, insert, update, delete on public.platform_warming_run, public.platform_warming_target to module_mgmt_worker;

alter table public.platform_lambda_config  enable row level security, force row level security;
alter table public.platform_rule_sync      enable row level security, force row level security;
alter table public.platform_warming_run    enable row level security, force row level security;
alter table public.platform_warming_target enable row level security, force row level security;

-- TRUNCATE asks no policy and fires no trigger of rows. Nobody but the owner may, and the owner does not either by mistake.
create or replace function module_mgmt.forbid_truncate() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% is not truncated', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function module_mgmt.forbid_truncate() is 'Refuses TRUNCATE, which would pass by policies, audit and checks.';
revoke all on function module_mgmt.forbid_truncate() from public;

-- Policies of the old system, and our own of an earlier run, go; any other is not ours and is reported.
create or replace function module_mgmt.drop_our_policies(variadic tables text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  found record;
begin
  for found in
    select tablename, policyname from pg_catalog.pg_policies where schemaname = 'public' and tablename = any (tables)
  loop
    if found.policyname ~* '^super admins can .+ all platform configs$'
       or found.policyname ~ '^(Platform admins|Organisation admins|Members|Everybody signed in|The worker|The definer) ' then
      execute format('drop policy %I on public.%I', found.policyname, found.tablename);
    else
      raise warning 'policy "%" on % is not of module-mgmt; it stays in force', found.policyname, found.tablename;
    end if;
  end loop;
end
$$;
comment on function module_mgmt.drop_our_policies(text[]) is 'Clears tables of public for the policies that a schema file makes anew.';
revoke all on function module_mgmt.drop_our_policies(text[]) from public;

do $$
begin
  perform module_mgmt.drop_our_policies(
    'platform_lambda_config', 'platform_rule_sync', 'platform_warming_run', 'platform_warming_target');
end
$$;

create policy "Platform admins read every platform config" on public.platform_lambda_config
  for select to authenticated, module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "Platform admins add platform configs" on public.platform_lambda_config
  for insert to module_mgmt_request with check ((select module_mgmt.is_platform_admin()));
create policy "Platform admins change platform configs" on public.platform_lambda_config
  for update to module_mgmt_request
  using ((select module_mgmt.is_platform_admin())) with check ((select module_mgmt.is_platform_admin()));
create policy "Platform admins remove platform configs" on public.platform_lambda_config
  for delete to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "The worker reads every platform config" on public.platform_lambda_config
  for select to module_mgmt_worker using (true);

create policy "Platform admins keep the rule sync state" on public.platform_rule_sync
  for all to module_mgmt_request
  using ((select module_mgmt.is_platform_admin())) with check ((select module_mgmt.is_platform_admin()));
create policy "The worker keeps the rule sync state" on public.platform_rule_sync
  for all to module_mgmt_worker using (true) with check (true);

create policy "Platform admins read the warming history" on public.platform_warming_run
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "The worker keeps the warming history" on public.platform_warming_run
  for all to module_mgmt_worker using (true) with check (true);

create policy "Platform admins read what pings have shown" on public.platform_warming_target
  for select to module_mgmt_request using ((select module_mgmt.is_platform_admin()));
create policy "The worker keeps what pings have shown" on public.platform_warming_target
  for all to module_mgmt_worker using (true) with check (true);

comment on policy "Platform admins read every platform config" on public.platform_lambda_config is
  'Configs name functions and schedules of the whole platform.';
comment on policy "Platform admins add platform configs" on public.platform_lambda_config is
  'PUT of a key that does not exist yet.';
comment on policy "Platform admins change platform configs" on public.platform_lambda_config is
  'PUT of a key that exists.';
comment on policy "Platform admins remove platform configs" on public.platform_lambda_config is
  'DELETE of a key; that of the warming schedule only when its rules are gone.';
comment on policy "The worker reads every platform config" on public.platform_lambda_config is
  'The reconcile and the warmer follow the stored schedule; they never change it.';
comment on policy "Platform admins keep the rule sync state" on public.platform_rule_sync is
  'Saving a schedule syncs it at once, as the person who saved it.';
comment on policy "The worker keeps the rule sync state" on public.platform_rule_sync is
  'The hourly reconcile syncs in the background.';
comment on policy "Platform admins read the warming history" on public.platform_warming_run is
  'GET /platform/lambda-warming/runs.';
comment on policy "The worker keeps the warming history" on public.platform_warming_run is
  'The warmer claims a tick, writes its report, and prunes old rows.';
comment on policy "Platform admins read what pings have shown" on public.platform_warming_target is
  'The function list says how each function is warmed.';
comment on policy "The worker keeps what pings have shown" on public.platform_warming_target is
  'The warmer stores what it found and forgets what the schedule no longer names.';
